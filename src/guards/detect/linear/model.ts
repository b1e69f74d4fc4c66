import { logistic } from '../../../support/logistic.js';
import { parseWeightsFile, readWeightsFile, serialiseWeightsFile } from '../weights-file.js';
import type { TermMemo } from '../words/vocabulary.js';
import { vocabulary, type Words } from '../words/words.js';
import { gramHashes, MARK_STRENGTH, RUNS, runBuckets, wordHash } from './features.js';
import type { Marks } from './marks.js';
import { lengthPenalty, normOf, type Window, windowsOf } from './windows.js';

/** Sigmoid of slope × score + intercept turns a label's score into a probability (Platt). */
export interface Calibration {
  slope: number;
  intercept: number;
}

export interface Label extends Calibration {
  name: string;
  bias: number;
  threshold: number; // probability from which on it counts
}

export interface ModelHeader {
  labels: readonly Label[];
  bucketBits: number;
  scale: number; // of the weights, which are bytes
}

export interface Verdict {
  label: Label;
  probability: number;
  window: Window;
}

const MARK = 'SLG1';
/** What is quoted, or stands in code, is rather spoken of than meant. */
const QUOTED_WEIGHT = 0.7;

/** A linear model over hashed features; a text counts as its worst window. */
export class LinearModel {
  /** Bucket after bucket, of each a byte a label: those that are needed at once lie together. */
  private readonly weights: Int8Array;
  /** Of a word its hash, and by label what it weighs by itself and its pieces. */
  private readonly known: TermMemo;

  /** `weights`: label after label, 2^bucketBits bytes each. */
  constructor(
    readonly header: ModelHeader,
    weights: Int8Array,
  ) {
    this.weights = byBucket(weights, header.labels.length);
    this.known = vocabulary.memo(1 + header.labels.length, (word, into, at) => this.weigh(word, into, at));
  }

  /** From models/guards, where `npm run train:guards` writes it. */
  static load(name: string): LinearModel {
    return LinearModel.parse(readWeightsFile(name));
  }

  static parse(file: Buffer): LinearModel {
    const { header, weights } = parseWeightsFile<ModelHeader>(file, MARK, 'guard model');
    const bytes = header.labels.length << header.bucketBits;
    return new LinearModel(header, new Int8Array(weights.buffer, weights.byteOffset, bytes));
  }

  static serialise(header: ModelHeader, weights: Int8Array): Buffer {
    const bytes = new Uint8Array(weights.buffer, weights.byteOffset, weights.length);
    return serialiseWeightsFile(MARK, header, bytes);
  }

  /** One verdict a label, of its worst window. */
  judge(words: Words, marks: Marks): Verdict[] {
    const { labels, scale } = this.header;
    const windows = windowsOf(words);
    const penalty = lengthPenalty(windows);
    const factors = factorsOf(words);
    const sums = new Float64Array((words.length + 1) * labels.length);
    this.addWords(words, factors, sums);
    this.addMarks(marks, factors, sums);
    addUp(sums, labels.length);
    return labels.map((label, index) => {
      const { score, window } = worstOf(sums, windows, labels.length, index);
      return { label, probability: probability(label, label.bias + score * scale - penalty), window };
    });
  }

  /** Word after word, of each a number a label: what it and the runs that end with it weigh. The first word's stand second. */
  private addWords({ terms, length }: Words, factors: Float64Array, sums: Float64Array): void {
    const { known, weights } = this;
    const rows = new Int32Array(length);
    for (let at = 0; at < length; at += 1) rows[at] = known.at(terms[at]!);
    const { values } = known; // only now: it grows with what is known
    const runs = runBuckets(
      rows.map((row) => values[row]!),
      (1 << this.header.bucketBits) - 1,
    );
    const labels = this.header.labels.length;
    for (let at = 0, run = 0, to = labels; at < length; at += 1, run += RUNS) {
      const own = rows[at]! + 1;
      const pair = runs[run]! * labels;
      const triple = runs[run + 1]! * labels;
      const apart = runs[run + 2]! * labels;
      const factor = factors[at]!;
      for (let label = 0; label < labels; label += 1, to += 1) {
        const ofRuns = weights[pair + label]! + weights[triple + label]! + weights[apart + label]!;
        sums[to] = (values[own + label]! + ofRuns) * factor;
      }
    }
  }

  private addMarks(marks: Marks, factors: Float64Array, sums: Float64Array): void {
    const labels = this.header.labels.length;
    const mask = (1 << this.header.bucketBits) - 1;
    for (let at = 0; at < marks.words.length; at += 1) {
      const word = marks.words[at]!;
      const bucket = (marks.hashes[at]! & mask) * labels;
      const to = (word + 1) * labels;
      for (let label = 0; label < labels; label += 1)
        sums[to + label]! += this.weights[bucket + label]! * MARK_STRENGTH * factors[word]!;
    }
  }

  private weigh(word: string, into: Int32Array, at: number): void {
    const { labels, bucketBits } = this.header;
    const mask = (1 << bucketBits) - 1;
    const own = wordHash(word);
    const buckets = [own, ...gramHashes(word)].map((hash) => hash & mask);
    into[at] = own;
    for (let label = 0; label < labels.length; label += 1)
      into[at + 1 + label] = buckets.reduce(
        (sum, bucket) => sum + this.weights[bucket * labels.length + label]!,
        0,
      );
  }
}

function byBucket(byLabel: Int8Array, labels: number): Int8Array {
  if (labels === 1) return byLabel;
  const buckets = byLabel.length / labels;
  const weights = new Int8Array(byLabel.length);
  for (let label = 0, from = 0; label < labels; label += 1)
    for (let bucket = 0; bucket < buckets; bucket += 1, from += 1)
      weights[bucket * labels + label] = byLabel[from]!;
  return weights;
}

/** How much each word counts. */
export function factorsOf(words: Words): Float64Array {
  const factors = new Float64Array(words.length);
  for (let at = 0; at < factors.length; at += 1) factors[at] = words.isQuoted(at) ? QUOTED_WEIGHT : 1;
  return factors;
}

export function probability({ slope, intercept }: Calibration, score: number): number {
  return logistic(slope * score + intercept);
}

/** The worst window by what each word weighs, `sums[i + 1]` of word i; turned into running sums here. */
export function worst(sums: Float64Array, windows: readonly Window[]): { score: number; window: Window } {
  addUp(sums, 1);
  return worstOf(sums, windows, 1, 0);
}

function addUp(sums: Float64Array, labels: number): void {
  for (let at = labels; at < sums.length; at += 1) sums[at]! += sums[at - labels]!;
}

/** By running sums, of each word one a label. */
function worstOf(sums: Float64Array, windows: readonly Window[], labels: number, label: number) {
  let best = { score: 0, window: { from: 0, to: 0 } };
  for (let index = 0; index < windows.length; index += 1) {
    const window = windows[index]!;
    const sum = sums[window.to * labels + label]! - sums[window.from * labels + label]!;
    const score = sum / normOf(window);
    if (index === 0 || score > best.score) best = { score, window };
  }
  return best;
}
