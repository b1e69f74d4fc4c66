import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile } from '../../bench/statistics.js';
import { simulate } from './fairness.js';

const RATE_PER_SECOND = 0.5;
const others = ['b', 'c', 'd'];

/** Sequences of the engine, and tokens of a prompt. */
const cases: [sequences: number, promptTokens: number][] = [
  [16, 128],
  [16, 16],
  [8, 48],
  [8, 16],
  [4, 128],
  [4, 16],
];

async function run(times: number, [maxSequences, promptTokens]: (typeof cases)[number]) {
  const ratesPerSecond = Object.fromEntries(others.map((tenant) => [tenant, RATE_PER_SECOND]));
  const heavy = RATE_PER_SECOND * times;
  const ttftMs = await simulate({
    ratesPerSecond: { ...ratesPerSecond, heavy },
    promptTokens,
    maxSequences,
    seconds: 150,
    seed: 1,
  });
  const all = others.flatMap((tenant) => ttftMs.get(tenant)!);
  return { p99Ms: percentile(Float64Array.from(all).sort(), 0.99), served: ttftMs.get('heavy')!.length };
}

for (const each of cases) {
  const [sequences, tokens] = each;
  test(`a tenant at 50 times the load of the others leaves their p99 time to the first token within twice: ${sequences} sequences, prompts of ${tokens}`, async (t) => {
    const [even, flooded] = [await run(1, each), await run(50, each)];
    t.diagnostic(`${even.p99Ms.toFixed(0)} ms, ${flooded.p99Ms.toFixed(0)} ms under the flood`);
    assert.ok(flooded.p99Ms <= 2 * even.p99Ms, `${flooded.p99Ms} ms after ${even.p99Ms} ms`);
    assert.ok(flooded.served > 8 * even.served, 'what the others leave is the heavy one’s');
  });
}
