import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceMarkup } from './difference.js';

test('what only one of two answers has is marked, as text', () => {
  assert.deepEqual(differenceMarkup('It is <b> Paris.', 'It is <b> Lyon.'), {
    before: 'It is &#60;b&#62; <del>Paris</del>.',
    after: 'It is &#60;b&#62; <ins>Lyon</ins>.',
  });
  assert.deepEqual(differenceMarkup('', 'new'), { before: '', after: '<ins>new</ins>' });
});

test('texts that have nothing in common are shown as they are, soon', () => {
  const [a, b] = ['a', 'b'].map((letter) =>
    Array.from({ length: 5_000 }, (_, index) => `${letter}${index}`).join(' '),
  );
  assert.deepEqual(differenceMarkup(a!, b!), { before: a, after: b });
});
