import { LinearModel, type ModelHeader, probability } from '../../../src/guards/detect/linear/model.js';
import { fitLogistic } from '../../quality/fit.js';
import { type Corpus, type Example, type Prepared, prepare } from './examples.js';
import { fit, scoreOf, type Weights } from './fit.js';

export interface TrainingOptions {
  bucketBits: number;
  folds: number; // of cross-validation
  falsePositives: number; // share of harmless texts of folds left out that the threshold lets through
  epochs: number;
  seed: number;
}

export interface CrossValidated {
  label: string;
  recall: number;
  falsePositives: number;
  /** Recall, or for harmless texts the share of false positives, by what was left out together. */
  folds: ReadonlyMap<string, { hits: number; total: number }>;
}

interface Unseen {
  score: number;
  isGood: boolean;
  isHarmless: boolean;
  fold: string;
}

const BYTE = 127;
const MAX_THRESHOLD = 0.95;

/** One label after the other; Platt's calibration and the threshold by folds that the model didn't see. */
export function train(
  names: readonly string[],
  examples: readonly Example[],
  options: TrainingOptions,
): { file: Buffer; crossValidated: CrossValidated[] } {
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
    crossValidated: trained.map(({ quality }) => quality),
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

/** Scores of texts by models that saw nothing of their fold. */
function crossValidate(corpus: Corpus, label: number, options: TrainingOptions): Unseen[] {
  const groupOf = groupsOf(corpus.examples, options.folds);
  return Array.from({ length: options.folds }, (_, group) => {
    const isUnseen = ({ fold }: Prepared) => groupOf.get(fold) === group;
    const weights = fit(
      corpus,
      corpus.examples.filter((example) => !isUnseen(example)),
      label,
      options,
    );
    return corpus.examples.filter(isUnseen).map((example) => ({
      score: scoreOf(corpus, example, weights),
      isGood: example.labels[label]!,
      isHarmless: !example.labels.includes(true),
      fold: example.fold,
    }));
  }).flat();
}

/** Groups of about equal size: the largest fold first, each to the smallest group. */
function groupsOf(examples: readonly Prepared[], groups: number): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { fold } of examples) sizes.set(fold, (sizes.get(fold) ?? 0) + 1);
  const filled = new Array<number>(groups).fill(0);
  return new Map(
    [...sizes]
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([fold, size]) => {
        const group = filled.indexOf(Math.min(...filled));
        filled[group]! += size;
        return [fold, group] as const;
      }),
  );
}

/** The lowest probability that at most the given share of harmless texts reaches. */
function thresholdFor(
  unseen: readonly Unseen[],
  calibration: { slope: number; intercept: number },
  falsePositives: number,
): number {
  const negatives = unseen
    .filter(({ isHarmless }) => isHarmless)
    .map(({ score }) => probability(calibration, score))
    .sort((a, b) => b - a);
  const allowed = Math.floor(negatives.length * falsePositives);
  return Math.min(MAX_THRESHOLD, (negatives[allowed] ?? 0) + 1e-4);
}

function qualityOf(
  label: string,
  unseen: readonly Unseen[],
  isHit: (each: Unseen) => boolean,
): CrossValidated {
  const share = (all: readonly Unseen[]) => all.filter(isHit).length / all.length;
  const folds = new Map<string, { hits: number; total: number }>();
  for (const each of unseen) {
    const fold = folds.get(each.fold) ?? { hits: 0, total: 0 };
    folds.set(each.fold, fold);
    fold.total += 1;
    if (isHit(each)) fold.hits += 1;
  }
  return {
    label,
    recall: share(unseen.filter(({ isGood }) => isGood)),
    falsePositives: share(unseen.filter(({ isHarmless }) => isHarmless)),
    folds,
  };
}

const round = (value: number) => Number(value.toPrecision(5));
