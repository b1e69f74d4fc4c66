import { combine, markHash } from '../linear/features.js';
import type { Marks } from '../linear/marks.js';
import { parsePhrase } from './phrase.js';
import { PhraseMatcher } from './phrase-matcher.js';
import type { Words } from './words.js';

/** Words between two whose meaning is taken together. */
const MAX_APART = 6;
const NOWHERE = -MAX_APART - 1; // too far from any word

/** Meanings of words by a lexicon (name → alternatives as in a phrase's slot), alone and two and three in a row, as marks for a classifier. */
export function aboutMarker(lexicon: Readonly<Record<string, string>>): (words: Words, marks: Marks) => void {
  const matcher = new PhraseMatcher<number>(
    Object.entries(lexicon).map(([name, words]) => parsePhrase(words, markHash(name))),
  );
  return (words, marks) => {
    let before = { hash: 0, word: NOWHERE };
    let beforeThat = { hash: 0, word: NOWHERE };
    matcher.match(words, (hash, _, word) => {
      if (hash === before.hash) return;
      marks.add(word, hash);
      if (word - before.word <= MAX_APART) {
        const pair = combine(before.hash, hash);
        marks.add(word, pair);
        if (before.word - beforeThat.word <= MAX_APART) marks.add(word, combine(beforeThat.hash, pair));
      }
      const oldest = beforeThat;
      beforeThat = before;
      before = oldest;
      before.hash = hash;
      before.word = word;
    });
  };
}
