import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Machine, simulateStall } from './stall.js';

/** About what Gemma 3 270M takes on two cores, and a model of some billion weights; without sliding windows the second. */
const small: Machine = {
  baseMs: 9,
  rowMs: 0.47,
  windowMs: 0.22,
  ownWindowMs: 0.8,
  contextMs: 8e-5,
  outputMs: 0.4,
  noise: 0,
};
const large: Machine = {
  baseMs: 40,
  rowMs: 8,
  windowMs: 0,
  ownWindowMs: 0,
  contextMs: 1e-3,
  outputMs: 0.3,
  noise: 0,
};

const cases: [name: string, machine: Machine, streams: number, promptTokens: number][] = [
  ['small model, 8 streams', small, 8, 4_000],
  ['small model, one stream', small, 1, 4_000],
  ['small model, 32 streams', small, 32, 4_000],
  ['large model, 8 streams', large, 8, 2_000],
];

for (const [name, machine, streams, promptTokens] of cases) {
  const run = (noise: number, seed: number) =>
    simulateStall({ machine: { ...machine, noise }, streams, promptTokens, maxBatchTokens: 512, seed });

  test(`a long prompt lengthens who streams beside it less than twice: ${name}`, (t) => {
    const { medianBeforeMs, p99DuringMs, ttftMs, ttftAloneMs } = run(0, 1);
    const [gap, ttft] = [p99DuringMs / medianBeforeMs, ttftMs / ttftAloneMs];
    t.diagnostic(`p99 ${gap.toFixed(2)} × the median before, its own first token ${ttft.toFixed(2)} × alone`);
    assert.ok(gap <= 1.97, `${p99DuringMs} ms after ${medianBeforeMs} ms`);
    assert.ok(ttft <= 2.5, `${ttftMs} ms beside, ${ttftAloneMs} ms alone`);
  });

  test(`with 1 % of noise too: ${name}`, () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { medianBeforeMs, p99DuringMs, ttftMs, ttftAloneMs } = run(0.01, seed);
      assert.ok(p99DuringMs <= 2 * medianBeforeMs, `${p99DuringMs} ms after ${medianBeforeMs} ms`);
      assert.ok(ttftMs <= 2.5 * ttftAloneMs, `${ttftMs} ms beside, ${ttftAloneMs} ms alone`);
    }
  });
}
