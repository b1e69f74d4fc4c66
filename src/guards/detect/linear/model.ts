import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../support/root.js';
import type { Word } from '../words/tokenise.js';
import { TermMemo } from '../words/vocabulary.js';
import { gramHashes, MARK_STRENGTH, type Mark, pairHash, runHash, skipHash, wordHash } from './features.js';
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

interface KnownWord {
  own: number; // hash
  weights: Float64Array;
}

const MAGIC = 'SLG1';
const RUNS = 3; // of words that end with one
/** What is quoted, or stands in code, is rather spoken of than meant. */
const QUOTED_WEIGHT = 0.7;

/** A linear model over hashed features; a text counts as its worst window. Weights: label after label, 2^bucketBits bytes each. */
export class LinearModel {
  private readonly known = new TermMemo((word) => this.weigh(word));

  constructor(
    readonly header: ModelHeader,
    private readonly weights: Int8Array,
  ) {}

  /** From models/guards, where `npm run train:guards` writes it. */
  static load(name: string): LinearModel {
    return LinearModel.parse(readFileSync(join(projectRoot(), 'models', 'guards', `${name}.bin`)));
  }

  /** "SLG1", the header's length in bytes (uint32, little endian), the header as JSON, the weights. */
  static parse(file: Buffer): LinearModel {
    if (file.toString('latin1', 0, 4) !== MAGIC) throw new Error('This is no guard model.');
    const length = file.readUInt32LE(4);
    const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as ModelHeader;
    const weights = new Int8Array(
      file.buffer,
      file.byteOffset + 8 + length,
      header.labels.length << header.bucketBits,
    );
    return new LinearModel(header, weights);
  }

  static serialise(header: ModelHeader, weights: Int8Array): Buffer {
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    return Buffer.concat([
      Buffer.from(MAGIC),
      length,
      json,
      Buffer.from(weights.buffer, weights.byteOffset, weights.length),
    ]);
  }

  /** One verdict a label, of its worst window. */
  judge(words: readonly Word[], marks: readonly Mark[]): Verdict[] {
    const { labels, bucketBits, scale } = this.header;
    const windows = windowsOf(words);
    const known = words.map(({ term }) => this.known.get(term));
    const runs = this.runsOf(known);
    const mask = (1 << bucketBits) - 1;
    return labels.map((label, index) => {
      const weights = this.weights.subarray(index << bucketBits, (index + 1) << bucketBits);
      const sums = new Float64Array(words.length + 1);
      for (let at = 0, run = 0; at < words.length; at += 1, run += RUNS) {
        const ofRuns = weights[runs[run]!]! + weights[runs[run + 1]!]! + weights[runs[run + 2]!]!;
        sums[at + 1] = (known[at]!.weights[index]! + ofRuns) * weightOf(words[at]!);
      }
      for (const { word, hash } of marks)
        sums[word + 1]! += weights[hash & mask]! * MARK_STRENGTH * weightOf(words[word]!);
      const { score, window } = worst(sums, windows);
      const logit = label.bias + score * scale - lengthPenalty(windows);
      return { label, probability: probability(label, logit), window };
    });
  }

  /** The buckets of the runs of words that end with each. */
  private runsOf(words: readonly KnownWord[]): Int32Array {
    const mask = (1 << this.header.bucketBits) - 1;
    const runs = new Int32Array(words.length * RUNS);
    let before = 0;
    let beforeThat = 0;
    for (let at = 0, run = 0; at < words.length; at += 1, run += RUNS) {
      const { own } = words[at]!;
      runs[run] = pairHash(before, own) & mask;
      runs[run + 1] = runHash(beforeThat, before, own) & mask;
      runs[run + 2] = skipHash(beforeThat, own) & mask;
      beforeThat = before;
      before = own;
    }
    return runs;
  }

  /** What a word weighs by itself and its pieces, by label. */
  private weigh(word: string): KnownWord {
    const { labels, bucketBits } = this.header;
    const mask = (1 << bucketBits) - 1;
    const own = wordHash(word);
    const hashes = [own, ...gramHashes(word)];
    const weights = labels.map((_, label) =>
      hashes.reduce((sum, hash) => sum + this.weights[(label << bucketBits) + (hash & mask)]!, 0),
    );
    return { own, weights: Float64Array.from(weights) };
  }
}

export function weightOf(word: Word): number {
  return word.isQuoted ? QUOTED_WEIGHT : 1;
}

export function probability({ slope, intercept }: Calibration, score: number): number {
  return 1 / (1 + Math.exp(-(slope * score + intercept)));
}

/** `sums[i + 1]` is what word i weighs; turned into running sums here. */
export function worst(sums: Float64Array, windows: readonly Window[]): { score: number; window: Window } {
  for (let index = 1; index < sums.length; index += 1) sums[index]! += sums[index - 1]!;
  let best = { score: 0, window: { from: 0, to: 0 } };
  for (let index = 0; index < windows.length; index += 1) {
    const window = windows[index]!;
    const score = (sums[window.to]! - sums[window.from]!) / normOf(window);
    if (index === 0 || score > best.score) best = { score, window };
  }
  return best;
}
