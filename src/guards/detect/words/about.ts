import { combine, markHash } from '../linear/features.js';
import type { Marks } from '../linear/marks.js';
import { type Phrase, parsePhrase } from './phrase.js';

/** Words between two whose meaning is taken together. */
const MAX_APART = 6;
const NOWHERE = -MAX_APART - 1; // too far from any word

/** Words that say what a text is about, by a lexicon: name → alternatives as in a phrase's slot. Each is labelled with the hash of its name. */
export function meaningsOf(lexicon: Readonly<Record<string, string>>): Phrase<number>[] {
  return Object.entries(lexicon).map(([name, words]) => parsePhrase(words, markHash(name)));
}

/** Marks a text, whose meanings come in order, with each of them, and with two and three in a row, for a classifier. */
export class MeaningMarker {
  readonly #marks: Marks;
  #before = { hash: 0, word: NOWHERE };
  #beforeThat = { hash: 0, word: NOWHERE };

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  add(word: number, hash: number): void {
    const before = this.#before;
    const beforeThat = this.#beforeThat;
    if (hash === before.hash) return;
    this.#marks.add(word, hash);
    if (word - before.word <= MAX_APART) {
      const pair = combine(before.hash, hash);
      this.#marks.add(word, pair);
      if (before.word - beforeThat.word <= MAX_APART) this.#marks.add(word, combine(beforeThat.hash, pair));
    }
    this.#beforeThat = before;
    this.#before = beforeThat;
    this.#before.hash = hash;
    this.#before.word = word;
  }
}
