import { hashText } from '../../../support/fnv.js';

/** Marks say more than words, and hold in texts whose words nobody saw in training. */
export const MARK_STRENGTH = 4;
/*
 * Hashed features of each word: itself, the two and three that end with it, the one before the last with it, and its pieces of three to
 * five characters, by which related words and languages share what was learned.
 */
const MIN_GRAM = 3;
const MAX_GRAM = 5;
const MAX_WORD = 20; // longer ones are no words
const SKIP = 0x51ed270b;
const GRAM = 0x2545f491;

/** Numbers are all one. */
export function wordHash(word: string): number {
  return hashText(word.charCodeAt(0) >= 0x30 && word.charCodeAt(0) <= 0x39 ? '0' : word);
}

/** Runs that end with a word. */
export const RUNS = 3;

/**
 * Buckets of the runs that end with each word, by the hashes of the words: of it and the one before, of it and the two before, and of it with the one
 * before the last.
 */
export function runBuckets(hashes: Int32Array, mask: number): Int32Array {
  const buckets = new Int32Array(hashes.length * RUNS);
  let before = 0;
  let beforeThat = 0;
  for (let at = 0, run = 0; at < hashes.length; at += 1, run += RUNS) {
    const own = hashes[at]!;
    buckets[run] = combine(before, own) & mask;
    buckets[run + 1] = combine(combine(beforeThat, before), own) & mask;
    buckets[run + 2] = combine(combine(beforeThat, SKIP), own) & mask;
    beforeThat = before;
    before = own;
  }
  return buckets;
}

export function gramHashes(word: string): number[] {
  if (word.length < MIN_GRAM || word.length > MAX_WORD) return [];
  const bounded = `<${word}>`;
  const hashes: number[] = [];
  for (let from = 0; from < bounded.length; from += 1)
    for (let length = MIN_GRAM; length <= MAX_GRAM && from + length <= bounded.length; length += 1)
      hashes.push(hashText(bounded, from, from + length, GRAM));
  return hashes;
}

export function markHash(name: string): number {
  return hashText(`mark ${name}`);
}

export function combine(a: number, b: number): number {
  const mixed = Math.imul(a ^ (b >>> 15), 0x85ebca6b) ^ Math.imul(b ^ (a >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
