import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatingAtOnce } from '../../bench/scenarios/concurrency.js';
import { parseStep } from '../../bench/scenarios/decode-grid.js';
import { highestRate } from '../../bench/scenarios/goodput.js';
import { unusedShare } from '../../bench/scenarios/kv-waste.js';
import { parseMetrics } from '../../bench/servers/metrics.js';
import { createConversations, idealCachedTokens } from '../../bench/workload/conversations.js';

test('the highest rate is found from below and from above', async () => {
  const search = (limit: number) => highestRate(1, (rate) => Promise.resolve(rate <= limit));
  for (const limit of [0.1, 0.9, 1, 5.3, 40]) {
    const found = await search(limit);
    assert.ok(found <= limit && found >= limit * 0.85, `${found} for ${limit}`);
  }
  assert.equal(await search(0), 0);
});

test("a conversation's turn begins with its turn before, and no other's", () => {
  const options = {
    seed: 1,
    conversations: 3,
    firstTokens: 40,
    turnTokens: 10,
    outputTokens: 4,
    tokenRange: { low: 0, high: 30_000 },
  };
  const conversations = createConversations(options);
  const [first, other, later] = [0, 1, 3].map((index) => conversations(index).prompt as number[]);
  assert.equal(later!.length, 50);
  assert.deepEqual(later!.slice(0, 40), first);
  assert.notDeepEqual(other, first);
  assert.equal(idealCachedTokens(options, 9, 32), 3 * 32 + 3 * 32);
});

test('unused cells are a share of the live ones', () => {
  const metrics = (live: number) =>
    parseMetrics(`sluice_kv_pages{state="live"} ${live}\nsluice_kv_unused_cells 16\n`);
  assert.equal(unusedShare(metrics(4), 32), 0.125);
  assert.equal(unusedShare(metrics(0), 32), null);
});

test('a step without its times is an error', () => {
  assert.deepEqual(parseStep('decode    1.5  2 33.25\n'), [1.5, 2, 33.25]);
  assert.throws(() => parseStep('decode 1.5 2'), /No times/);
});

test('generating at once: between first token and end, in the middle half of the time', () => {
  const trace = (startedAtMs: number, firstTokenMs: number, endedAtMs: number) => ({
    startedAtMs,
    tokenAtMs: [firstTokenMs],
    endedAtMs,
  });
  assert.equal(generatingAtOnce([trace(0, 0, 100), trace(0, 50, 100), trace(0, 0, 25)]), 1.5);
  assert.equal(generatingAtOnce([{ ...trace(0, 0, 100), tokenAtMs: [] }]), 0, 'one that never began');
});
