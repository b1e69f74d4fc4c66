import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worth } from './worth.js';

function noted(lookUpMs: number, answerMs: number, count = 8): Worth {
  const worth = new Worth();
  for (let i = 0; i < count; i++) {
    worth.lookedUp(lookUpMs, i);
    worth.computed('m', answerMs, i);
  }
  return worth;
}

test('looking up is worthwhile while it is the faster way', () => {
  assert.equal(noted(5, 50).isWorthwhile('m', 10), true);
  assert.equal(noted(50, 5).isWorthwhile('m', 10), false);
  assert.equal(noted(50, 5).isWorthwhile('another model', 10), true);
});

test('little knowledge decides nothing, nor does an old one', () => {
  assert.equal(noted(50, 5, 7).isWorthwhile('m', 10), true);
  assert.equal(noted(50, 5).isWorthwhile('m', 400_000), true);
});
