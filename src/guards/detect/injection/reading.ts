import type { View } from '../../normalise/views.js';
import type { Mark } from '../linear/features.js';
import { parsePhrase } from '../words/phrase.js';
import { PhraseMatcher } from '../words/phrase-matcher.js';
import { tokenise, type Word } from '../words/tokenise.js';
import { lexicon } from './lexicon.js';
import { type InjectionLabel, injectionGroups } from './phrases.js';
import { templateTokens } from './template-tokens.js';

/** A phrase or mark, in UTF-16 units of the view. */
export interface Sighting {
  label: InjectionLabel;
  start: number;
  end: number;
  isQuoted: boolean;
  word: number;
}

/** A view with its words and what was seen in it. */
export interface Reading {
  view: View;
  words: Word[];
  sightings: Sighting[];
}

const matcher = new PhraseMatcher<InjectionLabel>(
  injectionGroups.flatMap(({ category, rule, weight, phrases }) =>
    phrases.map((phrase) => parsePhrase<InjectionLabel>(phrase, { category, rule, weight })),
  ),
);
/** Words between two whose meaning is taken together. */
const MAX_APART = 6;
const aboutMatcher = new PhraseMatcher<string>(
  Object.entries(lexicon).map(([name, words]) => parsePhrase(words, name)),
);
const templateLabel: InjectionLabel = { category: 'prompt_injection', rule: 'template token', weight: 0.9 };
const roleLabel: InjectionLabel = { category: 'prompt_injection', rule: 'role marker', weight: 0.3 };
const roleMarker =
  /^[ \t>#*-]{0,6}(?:"role"\s?:\s?"system"|(?:system|assistant|developer|ai|bot|model|human|user)(?: message| prompt)?\s?:|#{2,3} ?(?:instruction|response|system|input)|[-=]{2,} ?(?:end|begin|start|new)\b)/gim;

export function read(view: View): Reading {
  const { text } = view.mapped;
  const words = tokenise(text);
  const sightings: Sighting[] = matcher.match(words).map(({ label, first, last }) => ({
    label,
    start: words[first]!.start,
    end: words[last]!.end,
    isQuoted: words[first]!.isQuoted && words[last]!.isQuoted,
    word: last,
  }));
  for (const [pattern, label] of [
    [templateTokens, templateLabel],
    [roleMarker, roleLabel],
  ] as const)
    for (const { 0: found, index } of text.matchAll(pattern)) {
      const word = wordAt(words, index + found.length);
      if (word === null) continue;
      sightings.push({
        label,
        start: index,
        end: index + found.length,
        isQuoted: words[word]!.isQuoted,
        word,
      });
    }
  return { view, words, sightings };
}

/** What the classifier knows beside words: phrases seen, and what the words are about, one, two and three in a row. */
export function marksOf({ words, sightings }: Reading): Mark[] {
  const marks: Mark[] = sightings.map(({ label, word }) => ({ word, name: label.rule }));
  const about = aboutMatcher
    .match(words)
    .filter(({ label }, index, all) => index === 0 || label !== all[index - 1]!.label);
  for (const [index, { label, last }] of about.entries()) {
    marks.push({ word: last, name: label });
    const before = about[index - 1];
    if (before === undefined || last - before.last > MAX_APART) continue;
    marks.push({ word: last, name: `${before.label} ${label}` });
    const beforeThat = about[index - 2];
    if (beforeThat !== undefined && before.last - beforeThat.last <= MAX_APART)
      marks.push({ word: last, name: `${beforeThat.label} ${before.label} ${label}` });
  }
  return marks;
}

/** The last word that begins before `end`, or the first. Binary search. */
function wordAt(words: readonly Word[], end: number): number | null {
  if (words.length === 0) return null;
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle]!.start < end) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
