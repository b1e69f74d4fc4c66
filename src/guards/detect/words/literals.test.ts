import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDisguised, literals } from './literals.js';

const fish = literals('fish', ['tuna', 'fish sticks', '魚']);
const found = (text: string) => fish.find(text).map(({ start, end }) => text.slice(start, end));
const disguised = (text: string) => findDisguised(fish, text).map(({ start, end }) => text.slice(start, end));

test('whole words in any case; in scripts without spaces anywhere', () => {
  assert.deepEqual(found('TUNA, tunas and Fish Sticks; opportuna'), ['TUNA', 'Fish Sticks']);
  assert.deepEqual(found('新鮮な魚です'), ['魚']);
});

test('words behind look-alikes and invisible characters, where they stand in the original', () => {
  assert.deepEqual(found('tu\u200bna'), []);
  assert.deepEqual(disguised('a tu\u200bna, a tun\u0430 and ｔｕｎａ'), [
    'tu\u200bna',
    'tun\u0430',
    'ｔｕｎａ',
  ]);
});

test('what may become a word is open', () => {
  assert.equal(fish.openFrom('some fish st'), 'some '.length);
  assert.equal(fish.openFrom('some fish sx'), 'some fish sx'.length);
});

test('a word at the very end of a text ends there, though others are longer', () => {
  const { find } = literals('names', ['blue', 'bluebirds']);
  assert.deepEqual(
    find('so blue').map(({ start, end }) => [start, end]),
    [[3, 7]],
  );
});
