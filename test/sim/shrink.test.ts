import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shrink } from './shrink.js';

test('what is left fails, and nothing of it can be left out', () => {
  const items = Array.from({ length: 80 }, (_, i) => i);
  const fails = (kept: readonly number[]) => [3, 41, 42, 77].every((needed) => kept.includes(needed));
  assert.deepEqual(shrink(items, fails), [3, 41, 42, 77]);
});

test('what fails by itself shrinks to nothing', () => {
  assert.deepEqual(
    shrink([1, 2, 3], () => true),
    [],
  );
});
