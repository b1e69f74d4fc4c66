import { gramHashes, type Mark, runHashes, wordHash } from '../../../src/guards/detect/linear/features.js';
import { weightOf } from '../../../src/guards/detect/linear/model.js';
import { type Window, windowsOf } from '../../../src/guards/detect/linear/windows.js';
import type { Word } from '../../../src/guards/detect/words/tokenise.js';

/** A text as the model sees it: one reading or several, of which the worst counts. */
export interface Example {
  readings: readonly { words: readonly Word[]; marks: readonly Mark[] }[];
  labels: readonly boolean[]; // which of the model's labels hold
  group: string;
  fold: number | null; // of cross-validation, in which it is left out
}

/** One way to read a text, as numbers. */
export interface Reading {
  windows: readonly Window[];
  words: Int32Array; // ids in the table of words
  factors: Float32Array; // of each word
  runs: Uint32Array; // buckets, three a word
  markWords: Uint32Array;
  markBuckets: Uint32Array;
}

export interface Prepared {
  labels: readonly boolean[];
  group: string;
  fold: number | null; // of cross-validation, in which it is left out
  readings: readonly Reading[];
}

export interface Corpus {
  examples: readonly Prepared[];
  /** By id of a word: its own bucket and those of its pieces. */
  wordBuckets: readonly Uint32Array[];
  bucketBits: number;
}

const RUNS = 3;

export function prepare(examples: readonly Example[], bucketBits: number): Corpus {
  const mask = (1 << bucketBits) - 1;
  const ids = new Map<string, number>();
  const wordBuckets: Uint32Array[] = [];
  const idOf = (text: string): number => {
    let id = ids.get(text);
    if (id === undefined) {
      id = wordBuckets.length;
      ids.set(text, id);
      wordBuckets.push(Uint32Array.from([wordHash(text), ...gramHashes(text)], (hash) => hash & mask));
    }
    return id;
  };
  const prepared = examples.map(({ readings, labels, group, fold }) => ({
    labels,
    group,
    fold,
    readings: readings
      .filter(({ words }) => words.length > 0)
      .map(({ words, marks }) => ({
        windows: windowsOf(words),
        words: Int32Array.from(words, ({ text }) => idOf(text)),
        factors: Float32Array.from(words, weightOf),
        runs: runsOf(words, mask),
        markWords: Uint32Array.from(marks, ({ word }) => word),
        markBuckets: Uint32Array.from(marks, ({ hash }) => hash & mask),
      })),
  }));
  return { examples: prepared, wordBuckets, bucketBits };
}

function runsOf(words: readonly Word[], mask: number): Uint32Array {
  const runs = new Uint32Array(words.length * RUNS);
  let before = 0;
  let beforeThat = 0;
  for (const [index, { text }] of words.entries()) {
    const own = wordHash(text);
    for (const [run, hash] of runHashes(beforeThat, before, own).entries())
      runs[index * RUNS + run] = hash & mask;
    beforeThat = before;
    before = own;
  }
  return runs;
}
