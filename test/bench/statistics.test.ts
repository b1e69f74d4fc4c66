import assert from 'node:assert/strict';
import test from 'node:test';
import { median, percentile, spread } from '../../bench/statistics.js';

test('percentiles interpolate between the nearest ranks', () => {
  const values = [10, 20, 30, 40];
  assert.equal(percentile(values, 0), 10);
  assert.equal(percentile(values, 0.5), 25);
  assert.equal(percentile(values, 1), 40);
  assert.ok(Math.abs(percentile(values, 0.9) - 37) < 1e-9);
});

test('a single value is its own percentile, and none has none', () => {
  assert.equal(percentile([7], 0.99), 7);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test('the median does not depend on order, and sorts as numbers', () => {
  assert.equal(median([100, 9, 20]), 20);
});

test('a spread describes all values', () => {
  const hundred = Array.from({ length: 101 }, (_, index) => 100 - index);
  assert.deepEqual(spread(hundred), { count: 101, mean: 50, p50: 50, p90: 90, p99: 99, max: 100 });
  assert.equal(spread([]), null);
});
