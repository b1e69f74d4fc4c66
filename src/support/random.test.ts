import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveSeed, seededRandom } from './random.js';

test('every item of every stream has a seed of its own, also of streams and items with neighbouring numbers', () => {
  const seeds = new Set<number>();
  for (let stream = 0; stream < 100; stream += 1)
    for (let item = 0; item < 100; item += 1) seeds.add(deriveSeed(stream, item));
  assert.equal(seeds.size, 10_000);
});

test('streams of neighbouring seeds begin evenly spread', () => {
  const counts = new Array(10).fill(0);
  for (let seed = 0; seed < 10_000; seed += 1) counts[Math.floor(seededRandom(seed)() * 10)] += 1;
  for (const count of counts) assert.ok(Math.abs(count - 1_000) < 150, String(counts));
});
