import { tokenise } from '../../src/guards/detect/words/tokenise.js';
import { plainText } from '../../src/guards/normalise/plain.js';
import type { Seed } from './seeds.js';

export type Split = 'train' | 'test';

/** Training never sees anything of these families, nor of this language. */
export const heldOutFamilies: readonly string[] = [
  'emotional_pressure',
  'virtualisation',
  'few_shot_priming',
  'multi_turn',
  'goal_hijack',
];
export const HELD_OUT_LANGUAGE = 'sv';
/** Training has templates in it; the hand-written seeds are all for testing. */
const TESTED_LANGUAGE = 'it';

export interface Item {
  text: string;
  group: string;
  language: string;
  split: Split;
  seed: string; // what it was made from
}

/** Two seeds in five are for testing, with all their variants, beside what is held out. */
export function splitOf({ group, language, index, isForTraining }: Seed): Split {
  if (isForTraining) return 'train';
  if (heldOutFamilies.includes(group) || [HELD_OUT_LANGUAGE, TESTED_LANGUAGE].includes(language))
    return 'test';
  return index % 5 === 1 || index % 5 === 3 ? 'test' : 'train';
}

/** Whether a text has the words of one that is for testing. */
export function sameAsTested(items: readonly Item[]): (text: string) => boolean {
  const tested = new Set(items.filter(({ split }) => split === 'test').map(({ text }) => wordsOf(text)));
  return (text) => tested.has(wordsOf(text));
}

/** What training may see. Refuses a set whose halves share a text or a held-out family. */
export function trainingItems(items: readonly Item[]): Item[] {
  const train = items.filter(({ split }) => split === 'train');
  const isTested = sameAsTested(items);
  for (const { text, group, language } of train) {
    if (heldOutFamilies.includes(group) || language === HELD_OUT_LANGUAGE)
      throw new Error(`The set would train on what is held out (${group}, ${language}).`);
    if (isTested(text)) throw new Error(`Training and test share a text of ${group}: ${text}`);
  }
  return train;
}

function wordsOf(text: string): string {
  return tokenise(plainText(text).text).texts().join(' ');
}
