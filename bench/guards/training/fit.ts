import { MARK_STRENGTH, RUNS } from '../../../src/guards/detect/linear/features.js';
import { worst } from '../../../src/guards/detect/linear/model.js';
import { lengthPenalty, normOf, type Window } from '../../../src/guards/detect/linear/windows.js';
import { logistic } from '../../../src/support/logistic.js';
import { type Random, seededRandom } from '../../workload/random.js';
import type { Corpus, Prepared, Reading } from './examples.js';

export interface Weights {
  bias: number;
  values: Float32Array; // by bucket
}

export interface FitOptions {
  epochs: number;
  seed: number;
}

/** FTRL-Proximal: a rate per weight, and only what helps again and again becomes a weight at all. */
const RATE = 0.2;
const SMOOTHING = 1; // of the rates
const L1 = 0.4;
const L2 = 0.5;
/** Share of words that aren't there for one step: no verdict may hang on one of them. */
const DROPPED_WORDS = 0.35;

interface State {
  values: Float32Array;
  sums: Float32Array; // of slopes, less what the weights have moved
  squares: Float32Array; // of slopes, summed
}

interface Worst {
  score: number;
  reading: Reading;
  window: Window;
  isDropped: Uint8Array | null; // by word
}

/** Logistic regression on the worst window of each text (max pooling). */
export function fit(
  corpus: Corpus,
  examples: readonly Prepared[],
  label: number,
  { epochs, seed }: FitOptions,
): Weights {
  const size = 1 << corpus.bucketBits;
  const weights: Weights = { bias: 0, values: new Float32Array(size) };
  const state: State = {
    values: weights.values,
    sums: new Float32Array(size),
    squares: new Float32Array(size),
  };
  let biasSquares = 1;
  const random = seededRandom(seed);
  const order = examples.map((_, index) => index);
  const positives = examples.filter(({ labels }) => labels[label]).length;
  const positiveWeight = Math.sqrt((examples.length - positives) / Math.max(1, positives));
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    shuffle(order, random);
    for (const index of order) {
      const example = examples[index]!;
      const found = worstReading(corpus, example, weights, random);
      if (found === null) continue;
      const isPositive = example.labels[label]!;
      const gradient = (logistic(found.score) - (isPositive ? 1 : 0)) * (isPositive ? positiveWeight : 1);
      biasSquares += gradient ** 2;
      weights.bias -= (RATE * gradient) / Math.sqrt(biasSquares);
      update(corpus, state, found, gradient);
    }
  }
  return weights;
}

export function scoreOf(corpus: Corpus, example: Prepared, weights: Weights): number {
  return worstReading(corpus, example, weights, null)?.score ?? weights.bias;
}

function worstReading(
  corpus: Corpus,
  example: Prepared,
  { bias, values }: Weights,
  dropping: Random | null,
): Worst | null {
  let best: Worst | null = null;
  for (const reading of example.readings) {
    const { words, factors, runs, markWords, markBuckets } = reading;
    const isDropped = dropping === null ? null : droppedWords(words.length, dropping);
    const sums = new Float64Array(words.length + 1);
    for (let word = 0; word < words.length; word += 1) {
      if (isDropped?.[word]) continue;
      let sum =
        values[runs[word * RUNS]!]! + values[runs[word * RUNS + 1]!]! + values[runs[word * RUNS + 2]!]!;
      const buckets = corpus.wordBuckets[words[word]!]!;
      for (let index = 0; index < buckets.length; index += 1) sum += values[buckets[index]!]!;
      sums[word + 1] = sum * factors[word]!;
    }
    for (let index = 0; index < markWords.length; index += 1) {
      const word = markWords[index]!;
      if (!isDropped?.[word])
        sums[word + 1]! += values[markBuckets[index]!]! * MARK_STRENGTH * factors[word]!;
    }
    const { score, window } = worst(sums, reading.windows);
    const logit = bias + score - lengthPenalty(reading.windows);
    if (best === null || logit > best.score) best = { score: logit, reading, window, isDropped };
  }
  return best;
}

function update(corpus: Corpus, state: State, { reading, window, isDropped }: Worst, gradient: number): void {
  const perFactor = gradient / normOf(window);
  const step = (bucket: number, factor: number): void => move(state, bucket, perFactor * factor);
  const { words, factors, runs, markWords, markBuckets } = reading;
  for (let word = window.from; word < window.to; word += 1) {
    if (isDropped?.[word]) continue;
    for (const bucket of corpus.wordBuckets[words[word]!]!) step(bucket, factors[word]!);
    for (let run = 0; run < RUNS; run += 1) step(runs[word * RUNS + run]!, factors[word]!);
  }
  for (let index = 0; index < markWords.length; index += 1) {
    const word = markWords[index]!;
    if (word >= window.from && word < window.to && !isDropped?.[word])
      step(markBuckets[index]!, MARK_STRENGTH * factors[word]!);
  }
}

function move({ values, sums, squares }: State, bucket: number, slope: number): void {
  const before = squares[bucket]!;
  const after = before + slope * slope;
  squares[bucket] = after;
  const sum = sums[bucket]! + slope - ((Math.sqrt(after) - Math.sqrt(before)) / RATE) * values[bucket]!;
  sums[bucket] = sum;
  values[bucket] =
    Math.abs(sum) <= L1 ? 0 : (Math.sign(sum) * L1 - sum) / ((SMOOTHING + Math.sqrt(after)) / RATE + L2);
}

function droppedWords(words: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: words }, () => (random() < DROPPED_WORDS ? 1 : 0));
}

function shuffle(order: number[], random: Random): void {
  for (let index = order.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
}
