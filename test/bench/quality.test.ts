import assert from 'node:assert/strict';
import test from 'node:test';
import { fitLogistic } from '../../bench/quality/fit.js';
import { areaUnderCurve, atThreshold, brierScore } from '../../bench/quality/scores.js';
import { seededRandom } from '../../bench/workload/random.js';
import { logistic } from '../../src/support/logistic.js';

test('a logistic fit finds the weights that made the data', () => {
  const random = seededRandom(7);
  const examples = Array.from({ length: 20_000 }, () => {
    const features = [random() * 4 - 2, random() * 4 - 2];
    return { features, isGood: random() < logistic(0.5 + 2 * features[0]! - features[1]!) };
  });
  const [intercept, first, second] = fitLogistic(examples);
  assert.ok(Math.abs(intercept! - 0.5) < 0.1 && Math.abs(first! - 2) < 0.1 && Math.abs(second! + 1) < 0.1);
});

test('scores of estimates, by hand', () => {
  const judged = [
    { quality: 0.9, isGood: true },
    { quality: 0.8, isGood: false },
    { quality: 0.4, isGood: true },
    { quality: 0.1, isGood: false },
  ];
  assert.equal(areaUnderCurve(judged), 0.75);
  assert.ok(Math.abs(brierScore(judged) - (0.01 + 0.64 + 0.36 + 0.01) / 4) < 1e-12);
  assert.deepEqual(atThreshold(judged, 0.7), { kept: 0.5, goodOfKept: 0.5 });
});
