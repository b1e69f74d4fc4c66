import {
  type Calibration,
  LinearModel,
  type ModelHeader,
  probability,
} from '../../../src/guards/detect/linear/model.js';
import { fitLogistic } from '../../quality/fit.js';
import { type Corpus, type Example, prepare } from './examples.js';
import { fit, scoreOf, type Weights } from './fit.js';

export interface TrainingOptions {
  bucketBits: number;
  falsePositives: number; // share of the harmless texts left out that the threshold lets through
  epochs: number;
  seed: number;
}

export interface Validated {
  label: string;
  recall: number;
  falsePositives: number;
  /** Texts that were taken for attacks, by family or kind. */
  groups: ReadonlyMap<string, { hits: number; total: number }>;
}

interface Unseen {
  score: number;
  isGood: boolean;
  isHarmless: boolean;
  group: string;
}

const BYTE = 127;
const MAX_THRESHOLD = 0.97;

/** One label after the other; Platt's calibration and the threshold by texts that the model didn't see. */
export function train(
  names: readonly string[],
  examples: readonly Example[],
  options: TrainingOptions,
): { file: Buffer; validated: Validated[] } {
  const corpus = prepare(examples, options.bucketBits);
  const trained = names.map((name, label) => {
    const unseen = crossValidate(corpus, label, options);
    const [intercept, slope] = fitLogistic(
      unseen.map(({ score, isGood }) => ({ features: [score], isGood })),
    );
    const calibration = { slope: slope!, intercept: intercept! };
    const threshold = thresholdFor(unseen, calibration, options.falsePositives);
    const weights = fit(corpus, corpus.examples, label, options);
    const isHit = ({ score }: Unseen) => probability(calibration, score) >= threshold;
    return { name, weights, ...calibration, threshold, quality: qualityOf(name, unseen, isHit) };
  });
  return {
    file: serialise(trained, options.bucketBits),
    validated: trained.map(({ quality }) => quality),
  };
}

function serialise(
  trained: readonly (Omit<ModelHeader['labels'][number], 'bias'> & { weights: Weights })[],
  bucketBits: number,
): Buffer {
  const largest = trained.reduce(
    (most, { weights }) => weights.values.reduce((own, value) => Math.max(own, Math.abs(value)), most),
    0,
  );
  const scale = largest / BYTE;
  const size = 1 << bucketBits;
  const bytes = new Int8Array(trained.length * size);
  for (const [label, { weights }] of trained.entries())
    for (let bucket = 0; bucket < size; bucket += 1)
      bytes[label * size + bucket] = Math.round(weights.values[bucket]! / scale);
  const labels = trained.map(({ name, weights, slope, intercept, threshold }) => ({
    name,
    bias: round(weights.bias),
    slope: round(slope),
    intercept: round(intercept),
    threshold: round(threshold),
  }));
  return LinearModel.serialise({ labels, bucketBits, scale }, bytes);
}

/** Scores of what a fold leaves out, by a model that didn't see it. */
function crossValidate(corpus: Corpus, label: number, options: TrainingOptions): Unseen[] {
  const folds = new Set(corpus.examples.flatMap(({ fold }) => fold ?? []));
  return [...folds].flatMap((left) => {
    const seen = corpus.examples.filter(({ fold }) => fold !== left);
    const weights = fit(corpus, seen, label, options);
    return corpus.examples
      .filter(({ fold }) => fold === left)
      .map((example) => ({
        score: scoreOf(corpus, example, weights),
        isGood: example.labels[label]!,
        isHarmless: !example.labels.includes(true),
        group: example.group,
      }));
  });
}

/** The score that at most the given share of harmless texts exceeds. */
function allowedBy(scores: readonly number[], falsePositives: number): number {
  return [...scores].sort((a, b) => b - a)[Math.floor(scores.length * falsePositives)] ?? 0;
}

/** The lowest probability that at most the given share of harmless texts reaches. */
function thresholdFor(unseen: readonly Unseen[], calibration: Calibration, falsePositives: number): number {
  const negatives = unseen
    .filter(({ isHarmless }) => isHarmless)
    .map(({ score }) => probability(calibration, score));
  return Math.min(MAX_THRESHOLD, allowedBy(negatives, falsePositives) + 1e-4);
}

function qualityOf(label: string, unseen: readonly Unseen[], isHit: (each: Unseen) => boolean): Validated {
  const share = (all: readonly Unseen[]) => all.filter(isHit).length / all.length;
  const groups = new Map<string, { hits: number; total: number }>();
  for (const each of unseen) {
    const group = groups.get(each.group) ?? { hits: 0, total: 0 };
    groups.set(each.group, group);
    group.total += 1;
    if (isHit(each)) group.hits += 1;
  }
  return {
    label,
    recall: share(unseen.filter(({ isGood }) => isGood)),
    falsePositives: share(unseen.filter(({ isHarmless }) => isHarmless)),
    groups,
  };
}

const round = (value: number) => Number(value.toPrecision(5));
