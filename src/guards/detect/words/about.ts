import { combine, type Mark, markHash } from '../linear/features.js';
import { parsePhrase } from './phrase.js';
import { PhraseMatcher } from './phrase-matcher.js';
import type { Word } from './tokenise.js';

/** Words between two whose meaning is taken together. */
const MAX_APART = 6;

/** Meanings of words by a lexicon (name → alternatives as in a phrase's slot), alone and two and three in a row, as marks for a classifier. */
export function aboutMarker(lexicon: Readonly<Record<string, string>>): (words: readonly Word[]) => Mark[] {
  const matcher = new PhraseMatcher<number>(
    Object.entries(lexicon).map(([name, words]) => parsePhrase(words, markHash(name))),
  );
  return (words) => {
    const marks: Mark[] = [];
    const about = matcher
      .match(words)
      .filter(({ label }, index, all) => index === 0 || label !== all[index - 1]!.label);
    for (const [index, { label, last }] of about.entries()) {
      marks.push({ word: last, hash: label });
      const before = about[index - 1];
      if (before === undefined || last - before.last > MAX_APART) continue;
      const pair = combine(before.label, label);
      marks.push({ word: last, hash: pair });
      const beforeThat = about[index - 2];
      if (beforeThat !== undefined && before.last - beforeThat.last <= MAX_APART)
        marks.push({ word: last, hash: combine(beforeThat.label, pair) });
    }
    return marks;
  };
}
