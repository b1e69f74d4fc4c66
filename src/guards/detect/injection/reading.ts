import type { View } from '../../normalise/views.js';
import { type Mark, markHash } from '../linear/features.js';
import { aboutMarker } from '../words/about.js';
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
const marksAbout = aboutMarker(lexicon);
const templateLabel: InjectionLabel = { category: 'prompt_injection', rule: 'template token', weight: 0.9 };
const roleLabel: InjectionLabel = { category: 'prompt_injection', rule: 'role marker', weight: 0.3 };
const roleMarker =
  /^[ \t>#*-]{0,6}(?:"role"\s?:\s?"system"|(?:system|assistant|developer|ai|bot|model|human|user)(?: message| prompt)?\s?:|#{2,3} ?(?:instruction|response|system|input)|[-=]{2,} ?(?:end|begin|start|new)\b)/gim;

const ruleHashes = new Map(
  [...injectionGroups, templateLabel, roleLabel].map(({ rule }) => [rule, markHash(rule)]),
);

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

/** What the classifier knows beside words: phrases seen, and what the words are about. */
export function marksOf({ words, sightings }: Reading): Mark[] {
  return [
    ...sightings.map(({ label, word }) => ({ word, hash: ruleHashes.get(label.rule)! })),
    ...marksAbout(words),
  ];
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
