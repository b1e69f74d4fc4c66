import { WordMemo } from '../words/memo.js';
import type { Word } from '../words/tokenise.js';
import { combine, hashText } from './hash.js';

/** Something known about a place of the text beside its words: a phrase that ends there, a mark before it. */
export interface Mark {
  word: number;
  name: string;
}

/** Marks say more than words, and hold in texts whose words nobody saw in training. */
const MARK_STRENGTH = 4;
const MIN_GRAM = 3;
const MAX_GRAM = 5;
const MAX_WORD = 20; // longer ones are no words
const SKIP = 0x51ed270b;
const GRAM = 0x2545f491;

/**
 * Hashed features of each word: itself, the two and three that end with it, the one before the last with it, and its pieces of three to
 * five characters, by which related words and languages share what was learned.
 */
export function forEachFeature(
  words: readonly Word[],
  marks: readonly Mark[],
  visit: (word: number, hash: number, strength: number) => void,
): void {
  let before = 0;
  let beforeThat = 0;
  for (let index = 0; index < words.length; index += 1) {
    const { text } = words[index]!;
    const { own, grams } = hashed.get(text);
    visit(index, own, 1);
    visit(index, combine(before, own), 1);
    visit(index, combine(combine(beforeThat, before), own), 1);
    visit(index, combine(combine(beforeThat, SKIP), own), 1);
    for (let gram = 0; gram < grams.length; gram += 1) visit(index, grams[gram]!, 1);
    beforeThat = before;
    before = own;
  }
  for (const { word, name } of marks) visit(word, hashText(`mark ${name}`), MARK_STRENGTH);
}

const hashed = new WordMemo((word) => ({
  own: /^\d/.test(word) ? hashText('0') : hashText(word), // numbers are all one
  grams: gramsOf(word),
}));

function gramsOf(word: string): Int32Array {
  if (word.length < MIN_GRAM || word.length > MAX_WORD) return new Int32Array();
  const bounded = `<${word}>`;
  const hashes: number[] = [];
  for (let from = 0; from < bounded.length; from += 1)
    for (let length = MIN_GRAM; length <= MAX_GRAM && from + length <= bounded.length; length += 1)
      hashes.push(hashText(bounded, from, from + length, GRAM));
  return Int32Array.from(hashes);
}
