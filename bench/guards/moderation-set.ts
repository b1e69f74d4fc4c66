import { deriveSeed, seededRandom } from '../workload/random.js';
import { fill, readLists, readSeeds } from './seeds.js';
import type { Split } from './split.js';

export interface ModerationItem {
  text: string;
  categories: string[]; // none: harmless
  language: string;
  split: Split;
  seed: string;
}

const VERSION_SEED = 20_263;
const VARIANTS = 10;

/** Harmful texts by category, and harmless ones with the same words. Every third seed is for testing, with its variants. */
export function makeModeration(): ModerationItem[] {
  const lists = readLists();
  return readSeeds('moderation.txt').flatMap(({ text, group, language, index }) => {
    const random = seededRandom(deriveSeed(VERSION_SEED, index));
    const texts = new Set(Array.from({ length: VARIANTS }, () => fill(text, random, lists)));
    return [...texts].map((filled) => ({
      text: filled,
      categories: group === 'benign' ? [] : group.split('+'),
      language,
      split: (index % 3 === 1 ? 'test' : 'train') as Split,
      seed: `moderation ${index}`,
    }));
  });
}
