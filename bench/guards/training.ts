import { forEachFeature, type Mark } from '../../src/guards/detect/linear/features.js';
import {
  LinearModel,
  type ModelHeader,
  probability,
  weightOf,
  worst,
} from '../../src/guards/detect/linear/model.js';
import { normOf, type Window, windowsOf } from '../../src/guards/detect/linear/windows.js';
import type { Word } from '../../src/guards/detect/words/tokenise.js';
import { hashText } from '../../src/support/fnv.js';
import { fitLogistic } from '../quality/fit.js';
import { seededRandom } from '../workload/random.js';

/** A text as the model sees it: one reading or several, of which the worst counts. */
export interface Example {
  readings: readonly { words: readonly Word[]; marks: readonly Mark[] }[];
  labels: readonly boolean[]; // which of the model's labels hold
  fold: string; // what is left out together in cross-validation
}

export interface TrainingOptions {
  bucketBits: number;
  folds: number; // of cross-validation; variants of a seed stay together
  falsePositives: number; // share that the threshold lets through
  seed: number;
}

interface Prepared {
  labels: readonly boolean[];
  fold: string;
  readings: {
    windows: Window[];
    words: number;
    at: Uint32Array;
    buckets: Uint32Array;
    factors: Float32Array;
  }[];
}

interface Weights {
  bias: number;
  values: Float32Array;
}

const EPOCHS = 24;
const RATE = 0.12;
const DECAY = 1e-3; // of a weight each time it is touched
const MIN_SEEN = 2; // texts that a feature must occur in
const BYTE = 127;

/** Logistic regression on the worst window of each text (max pooling), AdaGrad; one label after the other, then Platt's calibration on held-out folds. */
export function train(
  names: readonly string[],
  examples: readonly Example[],
  options: TrainingOptions,
): { file: Buffer; crossValidated: { label: string; recall: number; falsePositives: number }[] } {
  const prepared = prepare(examples, options.bucketBits);
  const crossValidated: { label: string; recall: number; falsePositives: number }[] = [];
  const trained = names.map((name, label) => {
    const unseen = crossValidate(prepared, label, options);
    const [intercept, slope] = fitLogistic(
      unseen.map(({ score, isGood }) => ({ features: [score], isGood })),
    );
    const { weights } = fit(prepared, label, options);
    const calibration = { slope: slope!, intercept: intercept! };
    const threshold = thresholdFor(unseen, calibration, options.falsePositives);
    const hits = unseen.filter(({ score }) => probability(calibration, score) >= threshold);
    const positives = unseen.filter(({ isGood }) => isGood).length;
    crossValidated.push({
      label: name,
      recall: hits.filter(({ isGood }) => isGood).length / positives,
      falsePositives:
        hits.filter(({ isHarmless }) => isHarmless).length /
        unseen.filter(({ isHarmless }) => isHarmless).length,
    });
    return { name, weights, ...calibration, threshold };
  });
  const largest = Math.max(
    ...trained.flatMap(({ weights }) =>
      weights.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    ),
  );
  const scale = largest / BYTE;
  const header: ModelHeader = {
    labels: trained.map(({ name, weights, slope, intercept, threshold }) => ({
      name,
      bias: round(weights.bias),
      slope: round(slope),
      intercept: round(intercept),
      threshold: round(threshold),
    })),
    bucketBits: options.bucketBits,
    scale,
  };
  const size = 1 << options.bucketBits;
  const bytes = new Int8Array(names.length * size);
  for (const [label, { weights }] of trained.entries())
    for (let bucket = 0; bucket < size; bucket += 1)
      bytes[label * size + bucket] = Math.round(weights.values[bucket]! / scale);
  return { file: LinearModel.serialise(header, bytes), crossValidated };
}

function prepare(examples: readonly Example[], bucketBits: number): Prepared[] {
  const mask = (1 << bucketBits) - 1;
  const seen = new Uint16Array(1 << bucketBits);
  const collected = examples.map(({ readings, labels, fold }) => {
    const own = new Set<number>();
    const lists = readings.map(({ words, marks }) => {
      const entries: [word: number, bucket: number, factor: number][] = [];
      forEachFeature(words, marks, (word, hash, strength) => {
        entries.push([word, hash & mask, strength * weightOf(words[word]!)]);
        own.add(hash & mask);
      });
      return { words, entries };
    });
    for (const bucket of own) seen[bucket]! += 1;
    return { labels, fold, lists };
  });
  return collected.map(({ labels, fold, lists }) => ({
    labels,
    fold,
    readings: lists
      .filter(({ words }) => words.length > 0)
      .map(({ words, entries }) => {
        const kept = entries.filter(([, bucket]) => seen[bucket]! >= MIN_SEEN);
        return {
          words: words.length,
          windows: windowsOf(words),
          at: Uint32Array.from(kept, ([word]) => word),
          buckets: Uint32Array.from(kept, ([, bucket]) => bucket),
          factors: Float32Array.from(kept, ([, , factor]) => factor),
        };
      }),
  }));
}

function worstReading(example: Prepared, { bias, values }: Weights) {
  let best: { score: number; reading: Prepared['readings'][number]; window: Window } | null = null;
  for (const reading of example.readings) {
    const sums = new Float64Array(reading.words + 1);
    for (let index = 0; index < reading.at.length; index += 1)
      sums[reading.at[index]! + 1]! += values[reading.buckets[index]!]! * reading.factors[index]!;
    const { score, window } = worst(sums, reading.windows);
    if (best === null || bias + score > best.score) best = { score: bias + score, reading, window };
  }
  return best;
}

function fit(
  examples: readonly Prepared[],
  label: number,
  { bucketBits, seed }: { bucketBits: number; seed: number },
): { weights: Weights } {
  const weights: Weights = { bias: 0, values: new Float32Array(1 << bucketBits) };
  const squares = new Float32Array(1 << bucketBits).fill(0.1);
  let biasSquares = 1;
  const random = seededRandom(seed);
  const order = examples.map((_, index) => index);
  const positives = examples.filter(({ labels }) => labels[label]).length;
  const positiveWeight = Math.sqrt((examples.length - positives) / positives);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    for (let index = order.length - 1; index > 0; index -= 1) {
      const other = Math.floor(random() * (index + 1));
      [order[index], order[other]] = [order[other]!, order[index]!];
    }
    for (const index of order) {
      const example = examples[index]!;
      const found = worstReading(example, weights);
      if (found === null) continue;
      const isPositive = example.labels[label]!;
      const gradient =
        (1 / (1 + Math.exp(-found.score)) - (isPositive ? 1 : 0)) * (isPositive ? positiveWeight : 1);
      biasSquares += gradient ** 2;
      weights.bias -= (RATE * gradient) / Math.sqrt(biasSquares);
      update(weights.values, squares, found, gradient);
    }
  }
  return { weights };
}

function update(
  values: Float32Array,
  squares: Float32Array,
  { reading, window }: { reading: Prepared['readings'][number]; window: Window },
  gradient: number,
): void {
  const norm = normOf(window);
  for (let index = 0; index < reading.at.length; index += 1) {
    const word = reading.at[index]!;
    if (word < window.from || word >= window.to) continue;
    const bucket = reading.buckets[index]!;
    const slope = (gradient * reading.factors[index]!) / norm;
    squares[bucket]! += slope ** 2;
    values[bucket] = values[bucket]! * (1 - DECAY) - (RATE * slope) / Math.sqrt(squares[bucket]!);
  }
}

/** Scores of texts by models that saw nothing of their fold. */
function crossValidate(
  examples: readonly Prepared[],
  label: number,
  options: { bucketBits: number; folds: number; seed: number },
) {
  const names = [...new Set(examples.map(({ fold }) => fold))].sort();
  const foldOf = new Map(names.map((name) => [name, (hashText(name) >>> 8) % options.folds]));
  return Array.from({ length: options.folds }, (_, fold) => {
    const seen = examples.filter((example) => foldOf.get(example.fold) !== fold);
    const unseen = examples.filter((example) => foldOf.get(example.fold) === fold);
    const { weights } = fit(seen, label, options);
    return unseen.map((example) => ({
      score: worstReading(example, weights)?.score ?? weights.bias,
      isGood: example.labels[label]!,
      isHarmless: !example.labels.includes(true),
    }));
  }).flat();
}

/** The lowest probability that at most the given share of harmless texts reaches. */
function thresholdFor(
  unseen: readonly { score: number; isHarmless: boolean }[],
  calibration: { slope: number; intercept: number },
  falsePositives: number,
): number {
  const negatives = unseen
    .filter(({ isHarmless }) => isHarmless)
    .map(({ score }) => probability(calibration, score));
  negatives.sort((a, b) => b - a);
  const allowed = Math.floor(negatives.length * falsePositives);
  return Math.min(0.95, (negatives[allowed] ?? 0) + 1e-4);
}

const round = (value: number) => Number(value.toPrecision(5));
