import type { View } from '../../normalise/views.js';
import { markHash } from '../linear/features.js';
import { Marks } from '../linear/marks.js';
import { MeaningMarker, meaningsOf } from '../words/about.js';
import { parsePhrase } from '../words/phrase.js';
import { PhraseMatcher } from '../words/phrase-matcher.js';
import { tokenise } from '../words/tokenise.js';
import type { Words } from '../words/words.js';
import { lexicon } from './lexicon.js';
import { isSaid, ordersToIgnore } from './order-to-ignore.js';
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
  words: Words;
  sightings: Sighting[];
  /** What the classifier knows beside words: what these are about, and the sightings. */
  marks: Marks;
}

/** Phrases, and words by what they are about, in one pass. */
const matcher = new PhraseMatcher<InjectionLabel | number>([
  ...injectionGroups.flatMap(({ category, rule, weight, phrases }) =>
    phrases.map((phrase) => parsePhrase<InjectionLabel | number>(phrase, { category, rule, weight })),
  ),
  ...meaningsOf(lexicon),
]);
const templateLabel: InjectionLabel = { category: 'prompt_injection', rule: 'template token', weight: 0.9 };
const roleLabel: InjectionLabel = { category: 'prompt_injection', rule: 'role marker', weight: 0.3 };
const roleMarker =
  /^[ \t>#*-]{0,6}(?:"role"\s?:\s?"system"|(?:system|assistant|developer|ai|bot|model|human|user)(?: message| prompt)?\s?:|#{2,3} ?(?:instruction|response|system|input)|[-=]{2,} ?(?:end|begin|start|new)\b)/gim;

export const orderLabel: InjectionLabel = {
  category: 'prompt_injection',
  rule: 'order to ignore',
  weight: 1,
};
const ruleHashes = new Map(
  [...injectionGroups, templateLabel, roleLabel, orderLabel].map(({ rule }) => [rule, markHash(rule)]),
);

export function read(view: View): Reading {
  const { text } = view.mapped;
  const words = tokenise(text);
  const sightings: Sighting[] = [];
  const marks = new Marks();
  const meanings = new MeaningMarker(marks);
  matcher.match(words, (label, first, last) => {
    if (typeof label === 'number') meanings.add(last, label);
    else
      sightings.push({
        label,
        start: words.starts[first]!,
        end: words.ends[last]!,
        isQuoted: words.isQuoted(first) && words.isQuoted(last),
        word: last,
      });
  });
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
        isQuoted: words.isQuoted(word),
        word,
      });
    }
  for (const { start, end } of ordersToIgnore(text)) {
    const word = wordAt(words, start + 1);
    if (word === null || !isSaid(words, word)) continue;
    sightings.push({ label: orderLabel, start, end, isQuoted: false, word });
  }
  for (const { label, word } of sightings) marks.add(word, ruleHashes.get(label.rule)!);
  return { view, words, sightings, marks };
}

/** The last word that begins before `end`, or the first. Binary search. */
function wordAt({ starts }: Words, end: number): number | null {
  if (starts.length === 0) return null;
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! < end) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
