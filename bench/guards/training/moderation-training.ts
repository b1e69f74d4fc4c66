import { deriveSeed, seededRandom } from '../../workload/random.js';
import type { ModerationItem } from '../moderation-set.js';
import { pick, readSeeds } from '../seeds.js';
import { readSet } from '../sets.js';
import { habits } from './rewrite.js';
import { Templates } from './templates.js';

export interface ModerationText {
  text: string;
  categories: readonly string[]; // none: harmless
  fold: number | null; // of cross-validation, in which it is left out
}

const SEED = 20_265;
const VARIANTS = 40;
const EVERYDAY_VARIANTS = 8;
const HABITUAL = 0.3; // share of texts that are written as people type
const FOLDS = 4;

/** What the moderation classifier learns from: the set's training half, templates, and harmless prompts of all kinds. */
export function makeModerationTexts(): ModerationText[] {
  return [
    ...readSet<ModerationItem>('moderation')
      .filter(({ split }) => split === 'train')
      .map(({ text, categories, seed }) => ({ text, categories, fold: Number(seed.split(' ')[1]) % FOLDS })),
    ...fromTemplates(
      new Templates('training/moderation-lists.txt'),
      VARIANTS,
      'training/moderation.txt',
      'training/moderation-wide.txt',
    ),
    ...fromTemplates(
      new Templates('training/lists.txt'),
      EVERYDAY_VARIANTS,
      'training/benign-en.txt',
      'training/benign-other.txt',
    ),
  ];
}

function fromTemplates(templates: Templates, variants: number, ...files: string[]): ModerationText[] {
  return readSeeds(...files).flatMap(({ text, group, file, index }) => {
    const random = seededRandom(deriveSeed(SEED, index));
    const isHarmless = group === 'benign' || !file.includes('moderation');
    const texts = Array.from({ length: variants }, () => {
      const written = templates.write(text, random).trim();
      return random() < HABITUAL ? pick(habits, random)(written, random) : written;
    });
    return [...new Set(texts)].map((written) => ({
      text: written,
      categories: isHarmless ? [] : group.split('+'),
      fold: isHarmless ? index % FOLDS : null,
    }));
  });
}
