import { gramHashes, runBuckets, wordHash } from '../../../src/guards/detect/linear/features.js';
import type { Marks } from '../../../src/guards/detect/linear/marks.js';
import { factorsOf } from '../../../src/guards/detect/linear/model.js';
import { type Window, windowsOf } from '../../../src/guards/detect/linear/windows.js';
import type { Words } from '../../../src/guards/detect/words/words.js';

/** The numbers of its words hold until the next text is read. */
export interface WordsRead {
  words: Words;
  marks: Marks;
}

/** A text as the model sees it: one reading or several, of which the worst counts. */
export interface Example {
  readings: Iterable<WordsRead>;
  labels: readonly boolean[]; // which of the model's labels hold
  group: string;
  fold: number | null; // of cross-validation, in which it is left out
}

/** One way to read a text, as numbers. */
export interface Reading {
  windows: readonly Window[];
  words: Int32Array; // ids in the table of words
  factors: Float32Array; // of each word
  runs: Int32Array; // buckets, three a word
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
  const numbered = ({ words, marks }: WordsRead): Reading => {
    const texts = words.texts();
    return {
      windows: windowsOf(words),
      words: Int32Array.from(texts, idOf),
      factors: Float32Array.from(factorsOf(words)),
      runs: runBuckets(Int32Array.from(texts, wordHash), mask),
      markWords: Uint32Array.from(marks.words),
      markBuckets: Uint32Array.from(marks.hashes, (hash) => hash & mask),
    };
  };
  const prepared = examples.map(
    ({ readings, ...example }): Prepared => ({
      ...example,
      readings: Array.from(readings, numbered).filter(({ words }) => words.length > 0),
    }),
  );
  return { examples: prepared, wordBuckets, bucketBits };
}
