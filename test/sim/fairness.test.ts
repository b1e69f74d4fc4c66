import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile } from '../../bench/statistics.js';
import { simulate } from './fairness.js';

const RATE_PER_SECOND = 0.5;
const others = ['b', 'c', 'd'];

async function run(times: number, seed: number) {
  const ratesPerSecond = Object.fromEntries(others.map((tenant) => [tenant, RATE_PER_SECOND]));
  const heavy = RATE_PER_SECOND * times;
  const ttftMs = await simulate({
    ratesPerSecond: { ...ratesPerSecond, heavy },
    promptTokens: 128,
    maxSequences: 16,
    seconds: 100,
    seed,
  });
  const all = others.flatMap((tenant) => ttftMs.get(tenant)!);
  return { p99Ms: percentile(Float64Array.from(all).sort(), 0.99), served: ttftMs.get('heavy')!.length };
}

test('a tenant at 50 times the load of the others leaves their p99 time to the first token within twice', async (t) => {
  for (const seed of [1, 2]) {
    const [even, flooded] = [await run(1, seed), await run(50, seed)];
    t.diagnostic(`seed ${seed}: ${even.p99Ms.toFixed(0)} ms, ${flooded.p99Ms.toFixed(0)} ms under the flood`);
    assert.ok(flooded.p99Ms <= 2 * even.p99Ms, `${flooded.p99Ms} ms after ${even.p99Ms} ms`);
    assert.ok(flooded.served > 15 * even.served, 'what the others leave is the heavy one’s');
  }
});
