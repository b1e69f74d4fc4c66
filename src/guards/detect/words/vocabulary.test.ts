import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Vocabulary } from './vocabulary.js';

const unitsOf = (word: string) => Uint16Array.from(word, (character) => character.charCodeAt(0));
const numberOf = (vocabulary: Vocabulary, word: string) => vocabulary.of(unitsOf(word), word.length);

test('a word has one number, however many there are', () => {
  const vocabulary = new Vocabulary();
  const words = Array.from({ length: 10_000 }, (_, index) => `w${index}`);
  const numbers = words.map((word) => numberOf(vocabulary, word));
  assert.equal(new Set(numbers).size, words.length);
  assert.deepEqual(
    words.map((word) => numberOf(vocabulary, word)),
    numbers,
  );
  assert.deepEqual(
    numbers.map((number) => vocabulary.textOf(number)),
    words,
  );
});

test('what is known of a word is computed once, and anew after it was forgotten', () => {
  const vocabulary = new Vocabulary(2);
  const asked: string[] = [];
  const lengths = vocabulary.memo(1, (word, into, at) => {
    asked.push(word);
    into[at] = word.length;
  });
  const lengthOf = (word: string) => lengths.values[lengths.at(numberOf(vocabulary, word))];
  assert.deepEqual(['one', 'three', 'one'].map(lengthOf), [3, 5, 3]);
  assert.deepEqual(asked, ['one', 'three']);
  vocabulary.makeRoom();
  assert.equal(lengthOf('four'), 4);
  assert.equal(lengthOf('one'), 3);
  assert.deepEqual(asked, ['one', 'three', 'four', 'one']);
});
