import { type LengthDistribution, sampleLength } from './lengths.js';
import { deriveSeed, type Random, randomInteger, seededRandom } from './random.js';

export interface PromptOptions {
  seed: number;
  form: 'tokens' | 'text';
  lengths: LengthDistribution;
  outputLengths: LengthDistribution;
  sharedTokens: number; // leading tokens that all prompts have in common
  tokenRange: { low: number; high: number }; // ids to draw from; control tokens usually come first in a vocabulary
}

export interface Prompt {
  prompt: number[] | string;
  maxTokens: number;
}

const SHARED = -1; // index of the common prefix among the derived streams
const SYLLABLES = 'ba ce di fo gu ha ki le mo nu pa ri se ta vo we ya zu lin mar ten sol'.split(' ');

/**
 * Prompt number `index`, the same for the same seed whatever the order of the calls. Beyond the shared part each is
 * random, so that no cache is hit by accident. A text has one word where token prompts have one token.
 */
export function createPrompts(options: PromptOptions): (index: number) => Prompt {
  const shared = run(options, seededRandom(deriveSeed(options.seed, SHARED)), options.sharedTokens);
  return (index) => {
    const random = seededRandom(deriveSeed(options.seed, index));
    const length = Math.max(sampleLength(options.lengths, random), options.sharedTokens + 1);
    const maxTokens = sampleLength(options.outputLengths, random);
    const own = run(options, random, length - options.sharedTokens);
    const all = [...shared, ...own];
    return { prompt: options.form === 'text' ? all.join(' ') : (all as number[]), maxTokens };
  };
}

function run(options: PromptOptions, random: Random, length: number): (number | string)[] {
  const { low, high } = options.tokenRange;
  const next = (): number | string =>
    options.form === 'text' ? word(random) : randomInteger(random, low, high);
  return Array.from({ length }, next);
}

function word(random: Random): string {
  const syllable = () => SYLLABLES[randomInteger(random, 0, SYLLABLES.length - 1)]!;
  return syllable() + syllable() + syllable();
}
