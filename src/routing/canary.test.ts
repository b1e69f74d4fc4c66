import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wilsonLower } from '../support/wilson.js';
import { Canary, type CanaryConfig, verdict } from './canary.js';

const config: CanaryConfig = { share: 0.1, minRequests: 20, maxErrorIncrease: 0.02, maxLatencyRatio: 2 };

function fill(
  canary: Canary,
  variant: 'stable' | 'canary',
  requests: number,
  failEvery: number,
  latencyMs: number,
) {
  for (let index = 1; index <= requests; index += 1) {
    const failed = failEvery > 0 && index % failEvery === 0;
    canary.record(variant, failed, failed ? null : latencyMs, index);
  }
}

const reasonOf = (canary: Canary) => canary.rollback?.reason ?? null;

test('a share of the keys, and always the same ones; a larger share only adds', () => {
  const small = new Canary(config);
  const large = new Canary({ ...config, share: 0.5 });
  const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}`);
  const chosen = keys.filter((key) => small.variantOf(key) === 'canary');
  assert.ok(Math.abs(chosen.length / keys.length - 0.1) < 0.015);
  for (const key of chosen) assert.equal(large.variantOf(key), 'canary');
});

test('errors take it back, for all keys and for good', () => {
  const canary = new Canary({ ...config, share: 1 });
  fill(canary, 'stable', 100, 0, 100);
  assert.equal(canary.variantOf('any'), 'canary');
  fill(canary, 'canary', 20, 4, 100);
  assert.equal(reasonOf(canary), 'error_rate');
  assert.equal(canary.variantOf('any'), 'stable');
  fill(canary, 'canary', 200, 0, 100);
  assert.equal(canary.variantOf('any'), 'stable');
});

test('as many errors as the stable model has are no reason', () => {
  const canary = new Canary(config);
  fill(canary, 'stable', 100, 4, 100);
  fill(canary, 'canary', 100, 4, 100);
  assert.equal(reasonOf(canary), null);
});

test('being slow takes it back, being a little slower does not', () => {
  const canary = new Canary(config);
  fill(canary, 'stable', 30, 0, 100);
  fill(canary, 'canary', 30, 0, 190);
  assert.equal(reasonOf(canary), null);
  fill(canary, 'canary', 200, 0, 210);
  assert.equal(reasonOf(canary), 'latency');
});

test('nothing is concluded from few requests', () => {
  const canary = new Canary(config);
  fill(canary, 'canary', 19, 1, 100);
  assert.equal(reasonOf(canary), null);
});

test('a canary without errors and no slower stays, however the stable model does', () => {
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.nat(200),
      fc.nat(200),
      fc.nat(1000),
      (requests, stable, failures, latencyMs) => {
        const good = { requests, failures: 0, p50Ms: requests === 0 ? null : latencyMs };
        const other = {
          requests: stable,
          failures: Math.min(failures, stable),
          p50Ms: stable === 0 ? null : latencyMs,
        };
        assert.equal(verdict(good, other, config), null);
      },
    ),
  );
});

test('more failures never save a canary', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(199), fc.nat(50), (requests, failures, more) => {
      const few = { requests, failures: Math.min(failures, requests), p50Ms: null };
      const many = { ...few, failures: Math.min(failures + more, requests) };
      const stable = { requests: 100, failures: 1, p50Ms: null };
      if (verdict(few, stable, config) !== null) assert.notEqual(verdict(many, stable, config), null);
    }),
  );
});

test("Wilson's bound, by the formula's own reference values", () => {
  // 10 of 20 at z = 1.96: 0.299 (Newcombe 1998, table I, by hand: (0.5 + 0.09604 − 0.23934) / 1.19208).
  assert.ok(Math.abs(wilsonLower(10, 20, 1.96) - 0.2993) < 0.0005);
  assert.equal(wilsonLower(0, 20, 1.96), 0);
});
