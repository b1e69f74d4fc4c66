import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from './backoff.js';
import { chooseEvictions } from './evictions.js';
import { nextRung } from './ladder.js';
import { LatencyEstimate } from './latency.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });

test('backoff stays within its bound, and waits at least as long as it was asked to', () => {
  const config = { baseMs: 100, maxMs: 2000 };
  fc.assert(
    fc.property(fc.nat(30), share, fc.option(fc.nat(5000)), (attempt, random, retryAfterMs) => {
      const ms = backoffMs(attempt, config, () => random, retryAfterMs);
      if (retryAfterMs !== null && retryAfterMs > config.maxMs) return assert.equal(ms, null);
      assert.ok(ms! >= (retryAfterMs ?? 0) && ms! <= config.maxMs);
      assert.ok(ms! <= Math.max(retryAfterMs ?? 0, config.baseMs * 2 ** attempt));
    }),
  );
});

test('the latency is the median of what is recent; what is old is forgotten', () => {
  const latency = new LatencyEstimate();
  assert.equal(latency.p50Ms(0), null);
  for (const ms of [10, 30, 20]) latency.add(ms, 0);
  assert.equal(latency.p50Ms(1000), 20);
  latency.add(1000, 200_000);
  assert.equal(latency.p50Ms(200_000), 25);
  assert.equal(latency.p50Ms(300_001), 1000);
  assert.equal(latency.p50Ms(600_000), null);
});

test('the latency is never outside what was measured', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10_000), { minLength: 1, maxLength: 200 }), (values) => {
      const latency = new LatencyEstimate();
      for (const [index, value] of values.entries()) latency.add(value, index);
      const recent = values.slice(-64);
      const p50 = latency.p50Ms(values.length)!;
      assert.ok(p50 >= Math.min(...recent) && p50 <= Math.max(...recent));
    }),
  );
});

const loaded = fc.record({
  id: fc.uuid(),
  bytes: fc.nat(100),
  lastUsedMs: fc.nat(1000),
  idle: fc.boolean(),
});

test('evictions: only idle models, the longest unused first, no more than needed, and enough', () => {
  fc.assert(
    fc.property(fc.array(loaded), fc.nat(200), fc.integer({ min: 1, max: 500 }), (models, needed, limit) => {
      const total = models.reduce((sum, { bytes }) => sum + bytes, 0);
      const idle = models.filter((model) => model.idle);
      const chosen = chooseEvictions(models, needed, limit);
      const idleBytes = idle.reduce((sum, { bytes }) => sum + bytes, 0);
      if (chosen === null) return assert.ok(total - idleBytes + needed > limit);
      const freed = chosen.reduce((sum, { bytes }) => sum + bytes, 0);
      assert.ok(total - freed + needed <= limit);
      assert.ok(chosen.every((model) => model.idle));
      const kept = idle.filter((model) => !chosen.includes(model));
      for (const gone of chosen) for (const stays of kept) assert.ok(gone.lastUsedMs <= stays.lastUsedMs);
      const last = chosen.at(-1);
      if (last) assert.ok(total - (freed - last.bytes) + needed > limit, 'the last one was needed');
    }),
  );
});

test('without a limit nothing is evicted', () => {
  assert.deepEqual(chooseEvictions([{ id: 'a', bytes: 9, lastUsedMs: 0, idle: true }], 1e12, 0), []);
});

test('a cascade never plans to spend more than it may, and skips only what is too dear', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (estimates, max) => {
        let spent = 0;
        let from = 0;
        let before: { isLast: boolean } | null = null;
        for (;;) {
          const rung = nextRung(estimates, from, spent, max);
          if (rung === null) break;
          assert.notEqual(before?.isLast, true, 'nothing follows the last');
          for (const skipped of rung.tooDear) assert.ok(estimates[skipped]! > max - spent);
          spent += estimates[rung.index]!;
          from = rung.index + 1;
          before = rung;
        }
        assert.ok(spent <= max + 1e-9);
        for (let index = from; index < estimates.length; index += 1)
          assert.ok(estimates[index]! > max - spent);
      },
    ),
  );
});

test('without a bound a cascade takes every model, and only the top one is the last', () => {
  const rungs = [0, 1, 2].map((from) => nextRung([1, 5, 9], from, 0, null)!);
  assert.deepEqual(
    rungs.map(({ index, isLast }) => [index, isLast]),
    [
      [0, false],
      [1, false],
      [2, true],
    ],
  );
});
