import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.js';

test('starts with the guess and follows what is seen', () => {
  const pace = new Pace(1_000);
  assert.equal(pace.secondsFor(5, 60), 5);
  for (let nowMs = 0; nowMs <= 400_000; nowMs += 4_000) pace.mark(nowMs);
  assert.equal(pace.secondsFor(5, 60), 20);
});

test('never under a second, never over the most', () => {
  const pace = new Pace(1);
  assert.equal(pace.secondsFor(0, 60), 1);
  assert.equal(pace.secondsFor(1e9, 60), 60);
});
