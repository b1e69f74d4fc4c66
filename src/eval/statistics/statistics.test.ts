import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../support/random.js';
import { wilsonInterval } from '../../support/wilson.js';
import { agreementOf } from './agreement.js';
import { bootstrapMean } from './bootstrap.js';
import { ConfidenceSequence } from './confidence-sequence.js';
import { binomialTail, mcnemar, signFlipLower } from './exact.js';
import { holm } from './holm.js';
import { casesNeeded, upperQuantile } from './power.js';

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

test('McNemar’s exact test: values by hand', () => {
  near(binomialTail(5, 5), 1 / 32);
  near(binomialTail(4, 5), 6 / 32);
  near(binomialTail(0, 5), 1);
  near(mcnemar(8, 2), 2 * ((45 + 10 + 1) / 1024));
  assert.equal(mcnemar(0, 0), 1);
  assert.equal(mcnemar(3, 3), 1);
  assert.ok(Number.isFinite(binomialTail(3_000, 5_000)), 'also for many pairs');
});

test('the sign-flip test is McNemar’s where answers pass or fail, and by draws comes near it', () => {
  const passFail = [-1, -1, -1, -1, -1, 1, 0, 0, 0];
  near(signFlipLower(passFail, 100, seededRandom(1)), binomialTail(5, 6));
  const halves = passFail.map((difference) => difference / 2);
  near(signFlipLower(halves, 50_000, seededRandom(2)), binomialTail(5, 6), 0.01);
  assert.equal(signFlipLower([], 100, seededRandom(1)), 1);
});

test('Holm: one rejection hands its share on; nothing after the first that stands', () => {
  const equal = (...ps: number[]) => ps.map((p) => ({ p, weight: 1 / ps.length }));
  assert.deepEqual(holm(equal(0.01, 0.02, 0.04), 0.05), [true, true, true]);
  assert.deepEqual(holm(equal(0.01, 0.03, 0.04), 0.05), [true, false, false]);
  assert.deepEqual(holm(equal(0.02, 0.02), 0.05), [true, true]);
  assert.deepEqual(
    holm(
      [
        { p: 0.035, weight: 0.8 },
        { p: 0.012, weight: 0.2 },
      ],
      0.05,
    ),
    [true, true],
  );
  assert.deepEqual(
    holm(
      [
        { p: 0.045, weight: 0.8 },
        { p: 0.012, weight: 0.2 },
      ],
      0.05,
    ),
    [false, false],
  );
});

test('Wilson: published values, and the whole range where nothing is known', () => {
  const [low, high] = wilsonInterval(10, 20, 1.96);
  near(low, 0.2993, 0.0005);
  near(high, 0.7007, 0.0005);
  assert.deepEqual(wilsonInterval(0, 0, 1.96), [0, 1]);
});

test('the bootstrap interval has about the width of theory, and a point for equal values', () => {
  const values = Array.from({ length: 400 }, (_, index) => index % 2);
  const { low, high } = bootstrapMean(values, {
    confidence: 0.95,
    resamples: 2_000,
    random: seededRandom(3),
  });
  near(high - low, 2 * 1.96 * (0.5 / 20), 0.015);
  const same = bootstrapMean([0.3, 0.3], { confidence: 0.95, resamples: 50, random: seededRandom(3) });
  near(same.low, 0.3);
  near(same.high, 0.3);
});

test('cases needed: fewer where less differs, more where the error is shared, and never none for few cases that agree', () => {
  const noisy = Array.from({ length: 300 }, (_, index) => [-1, 0, 1][index % 3]!);
  const calm = noisy.map((value, index) => (index % 10 === 0 ? value : 0));
  assert.ok(casesNeeded(calm, 0.05, 0.05) < casesNeeded(noisy, 0.05, 0.05));
  assert.ok(casesNeeded(noisy, 0.1, 0.05) < casesNeeded(noisy, 0.05, 0.05));
  assert.ok(casesNeeded(noisy, 0.05, 0.001) > 2 * casesNeeded(noisy, 0.05, 0.05));
  assert.ok(casesNeeded([0, 0, 0], 0.05, 0.05) > 100);
  for (const [p, z] of [
    [0.05, 1.6449],
    [0.001, 3.0902],
    [0.5, 0],
  ] as const)
    near(upperQuantile(p), z, 5e-4);
});

test('a confidence sequence stays within the bounds, ends near the mean, and holds both means of one that has moved', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }), (values) => {
      const sequence = new ConfidenceSequence(0.05);
      for (const value of values) {
        sequence.add(value);
        const { low, high } = sequence.interval;
        assert.ok(0 <= low && low <= high && high <= 1, `${low} to ${high}`);
      }
    }),
  );
  const random = seededRandom(5);
  const sequence = new ConfidenceSequence(0.05);
  const addMany = (mean: number) => {
    for (let index = 0; index < 2_000; index += 1) sequence.add(Number(random() < mean));
  };
  addMany(0.9);
  assert.ok(sequence.interval.low > 0.85 && sequence.interval.high < 0.94);
  addMany(0.5);
  assert.ok(sequence.interval.low > 0.6 && sequence.interval.high < 0.85, 'of all values so far');
});

test('kappa: 1 for the same verdicts, 0 for a rater who always says yes', () => {
  const verdicts = [true, false, true, true] as const;
  assert.equal(agreementOf(verdicts.map((each) => [each, each])).kappa, 1);
  const { agreed, kappa } = agreementOf(verdicts.map((each) => [each, true]));
  near(agreed, 0.75);
  near(kappa, 0);
  assert.deepEqual(agreementOf([]), { cases: 0, agreed: 0, kappa: 0 });
});
