import { tokenise } from '../../src/guards/detect/words/tokenise.js';
import { plainText } from '../../src/guards/normalise/plain.js';
import { readSeeds } from './seeds.js';
import type { Item } from './split.js';

/** Families and languages of the fresh texts that training has nothing of. */
export const freshFamilies: readonly string[] = [
  'memory_poisoning',
  'role_inversion',
  'many_shot',
  'social_proof',
];
export const freshLanguages: readonly string[] = ['cs', 'id'];

/** Words in a row that a training text and a fresh one may not share. */
const SHARED_WORDS = 6;

/** Written before the training data of today, and never looked at while that was written: each text once, no variants. */
export function freshItems(): { attacks: Item[]; benign: Item[] } {
  return { attacks: items('fresh/attacks.txt'), benign: items('fresh/benign.txt') };
}

/** Whether a text shares a run of six words with a fresh one: training drops it. */
export function freshOverlap(): (text: string) => boolean {
  const { attacks, benign } = freshItems();
  const known = new Set([...attacks, ...benign].flatMap(({ text }) => runsOf(text)));
  return (text) => runsOf(text).some((run) => known.has(run));
}

function items(file: string): Item[] {
  return readSeeds(file).map(({ text, group, language, index }) => ({
    text,
    group,
    language,
    split: 'test',
    seed: `${file} ${index}`,
  }));
}

function runsOf(text: string): string[] {
  const words = tokenise(plainText(text).text).texts();
  return words.slice(SHARED_WORDS - 1).map((_, index) => words.slice(index, index + SHARED_WORDS).join(' '));
}
