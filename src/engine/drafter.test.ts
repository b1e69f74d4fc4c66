import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/sim/random.js';
import { Drafter } from './drafter.js';
import { gramSize, NgramIndex } from './ngram-index.js';

/** The longest earlier occurrence of the end, at least a pair long, found the slow way. */
function longest(tokens: Int32Array, length: number): number {
  let best = 0;
  for (let next = gramSize; next < length; next++) {
    let match = 0;
    while (match < Math.min(next, 32) && tokens[next - 1 - match] === tokens[length - 1 - match]) match++;
    best = Math.max(best, match);
  }
  return best < gramSize ? 0 : best;
}

test('the longest earlier occurrence is found while the text grows', () => {
  const random = new Random(1);
  const tokens = Int32Array.from({ length: 400 }, () => random.int(1, 40));
  for (let i = 200; i < 300; i++) tokens[i] = tokens[i - 137]!;
  const index = new NgramIndex();
  let found = 0;
  for (let length = 1; length <= tokens.length; length++) {
    const match = index.find(tokens, length);
    assert.equal(match?.length ?? 0, longest(tokens, length), `at ${length}`);
    if (match === null) continue;
    found++;
    assert.ok(match.next < length);
    for (let i = 1; i <= match.length; i++) assert.equal(tokens[match.next - i], tokens[length - i]);
  }
  assert.ok(found > 100);
});

function guessOf(tokens: number[], most: number): number[] {
  const drafter = new Drafter(5);
  drafter.propose(Int32Array.from(tokens), tokens.length, most);
  return Array.from(drafter.tokens.subarray(0, drafter.proposed));
}

test('a guess follows the earlier occurrence, and a text that repeats itself goes on repeating', () => {
  assert.deepEqual(guessOf([7, 8, 9, 10, 11, 12, 7, 8], 3), [9, 10, 11]);
  assert.deepEqual(guessOf([1, 2, 3, 1, 2, 3], 9), [1, 2, 3, 1, 2], 'as many as a draft may have');
  assert.deepEqual(guessOf([1, 2, 3, 4], 5), []);
});

test('acceptance is learned from guesses that were never computed', () => {
  const drafter = new Drafter(4);
  const text = Int32Array.of(1, 2, 3, 1, 2);
  const guess = () => drafter.propose(text, text.length, 4);
  guess();
  const before = drafter.chance(0);
  for (let i = 0; i < 20; i++) {
    guess();
    assert.equal(drafter.verify(0, 3), false, 'right, but the token after it was not computed');
  }
  guess();
  assert.ok(drafter.chance(0) > before && drafter.chance(0) > 0.9);
  for (let i = 0; i < 40; i++) {
    guess();
    drafter.verify(0, 4);
  }
  guess();
  assert.ok(drafter.chance(0) < 0.2);
});

test('what was planned is right as far as it agrees', () => {
  const drafter = new Drafter(4);
  drafter.propose(Int32Array.of(1, 2, 3, 4, 5, 1, 2), 7, 4);
  drafter.planned = 3;
  assert.equal(drafter.verify(0, 3), true);
  assert.equal(drafter.verify(1, 4), true);
  assert.equal(drafter.verify(2, 9), false);
  drafter.clear();
  assert.equal(drafter.verify(0, 3), false, 'a guess is used once');
});
