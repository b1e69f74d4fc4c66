import assert from 'node:assert/strict';
import test from 'node:test';
import { poissonArrivalsMs } from '../../bench/workload/arrivals.js';
import { longest, parseLengths, sampleLength } from '../../bench/workload/lengths.js';
import { createPrompts, type PromptOptions } from '../../bench/workload/prompts.js';
import { deriveSeed, seededRandom } from '../../bench/workload/random.js';

function take<T>(items: Iterator<T>, count: number): T[] {
  return Array.from({ length: count }, () => items.next().value as T);
}

test('arrivals of the same seed are the same, of another seed others', () => {
  const arrivals = (seed: number) => take(poissonArrivalsMs(5, seededRandom(seed)), 100);
  assert.deepEqual(arrivals(1), arrivals(1));
  assert.notDeepEqual(arrivals(1), arrivals(2));
});

test('gaps between arrivals have the mean and the spread of an exponential', () => {
  const arrivals = take(poissonArrivalsMs(50, seededRandom(3)), 20_000);
  const gaps = arrivals.map((atMs, index) => atMs - (arrivals[index - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  assert.ok(Math.abs(mean - 20) < 0.5, `mean ${mean}`); // standard error 0.14 ms
  assert.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05, `deviation ${Math.sqrt(variance)}`);
  assert.ok(gaps.every((gap) => gap >= 0));
});

test('lengths parse, and bad ones are refused', () => {
  assert.deepEqual(parseLengths('64'), { kind: 'fixed', tokens: 64 });
  assert.deepEqual(parseLengths('uniform:3-9'), { kind: 'uniform', low: 3, high: 9 });
  assert.deepEqual(parseLengths('lognormal:96,1.5,1024'), {
    kind: 'lognormal',
    median: 96,
    sigma: 1.5,
    high: 1024,
  });
  for (const bad of ['0', '-1', 'uniform:9-3', 'lognormal:96', 'many', '99999999']) {
    assert.throws(() => parseLengths(bad), RangeError, bad);
  }
});

test('sampled lengths stay within bounds', () => {
  const random = seededRandom(4);
  for (const text of ['uniform:3-9', 'lognormal:5,2,50', 'sharegpt-in', 'sharegpt-out']) {
    const lengths = parseLengths(text);
    const sampled = Array.from({ length: 2000 }, () => sampleLength(lengths, random));
    assert.ok(
      sampled.every((length) => Number.isInteger(length) && length >= 1 && length <= longest(lengths)),
    );
    assert.ok(new Set(sampled).size > 1);
  }
});

test('a lognormal has the median it was given', () => {
  const random = seededRandom(5);
  const lengths = parseLengths('lognormal:100,1,100000');
  const below = Array.from({ length: 10_000 }, () => sampleLength(lengths, random)).filter(
    (n) => n < 100,
  ).length;
  assert.ok(Math.abs(below / 10_000 - 0.5) < 0.03, String(below));
});

const tokenPrompts: PromptOptions = {
  seed: 7,
  form: 'tokens',
  lengths: { kind: 'fixed', tokens: 64 },
  outputLengths: { kind: 'fixed', tokens: 8 },
  sharedTokens: 48,
  tokenRange: { low: 1000, high: 2000 },
};

test('prompts share exactly the prefix asked for and have the length asked for', () => {
  const prompts = createPrompts(tokenPrompts);
  const [first, second] = [prompts(0).prompt as number[], prompts(1).prompt as number[]];
  assert.equal(first.length, 64);
  assert.deepEqual(first.slice(0, 48), second.slice(0, 48));
  assert.notDeepEqual(first.slice(48), second.slice(48));
  assert.ok(first.every((token) => token >= 1000 && token <= 2000));
});

test('a prompt depends on seed and number only', () => {
  const [one, other] = [createPrompts(tokenPrompts), createPrompts(tokenPrompts)];
  const later = other(5);
  other(0);
  assert.deepEqual(one(5), later);
  assert.notDeepEqual(createPrompts({ ...tokenPrompts, seed: deriveSeed(7, 1) })(5), later);
});

test('a prompt is longer than the shared part, however short its own length', () => {
  const prompts = createPrompts({ ...tokenPrompts, lengths: { kind: 'fixed', tokens: 1 } });
  assert.equal((prompts(0).prompt as number[]).length, 49);
});

test('text prompts have a word for each token', () => {
  const { prompt } = createPrompts({ ...tokenPrompts, form: 'text' })(3);
  assert.equal((prompt as string).split(' ').length, 64);
});
