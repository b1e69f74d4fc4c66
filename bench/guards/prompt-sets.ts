import { deriveSeed, type Random, randomInteger, seededRandom } from '../workload/random.js';
import { disguises, encodings } from './obfuscate.js';
import { fill, pick, readLists, readSeeds, type Seed } from './seeds.js';
import { type Item, type Split, splitOf } from './split.js';

const VERSION_SEED = 20_261;
const VARIANTS = 3; // of a seed with alternatives
const TEMPLATE_VARIANTS = 40;
const TRAINING_VARIANTS = 16;
const PER_TRANSFORM = 6; // of each half
const EMBEDDED = 30; // of each half
const LONG_TEXTS = 60; // of each half
const splits: readonly Split[] = ['train', 'test'];

/** Attacks: seeds with their variants, then encoded and disguised ones, then ones inside longer texts. */
export function makeAttacks(): Item[] {
  const plain = [
    ...expand(readSeeds('attacks-en.txt', 'attacks-other.txt'), VARIANTS),
    ...expand(readSeeds('attacks-training.txt'), TRAINING_VARIANTS),
  ];
  return unique([
    ...plain,
    ...splits.flatMap((split) => obfuscated(split, plain)),
    ...splits.flatMap((split) => embedded(split, plain, makeBenignSeeds())),
    ...expand(readSeeds('attacks-held-out.txt'), 1),
  ]);
}

export function makeBenign(): Item[] {
  const short = makeBenignSeeds();
  return unique([
    ...short,
    ...splits.flatMap((split) => longTexts(split, short)),
    ...expand(readSeeds('benign-held-out.txt'), 1),
  ]);
}

function makeBenignSeeds(): Item[] {
  return [
    ...expand(readSeeds('benign-en.txt', 'benign-other.txt'), VARIANTS),
    ...expand(readSeeds('benign-templates.txt'), TEMPLATE_VARIANTS),
    ...expand(readSeeds('benign-training.txt'), TRAINING_VARIANTS),
  ];
}

function expand(seeds: readonly Seed[], variants: number): Item[] {
  const lists = readLists();
  return seeds.flatMap((seed) => {
    const { text, group, language, index, file } = seed;
    const random = seededRandom(deriveSeed(VERSION_SEED, index));
    const texts = new Set<string>();
    for (let variant = 0; variant < variants; variant += 1) texts.add(fill(text, random, lists));
    return [...texts].map((filled) => ({
      text: filled,
      group,
      language,
      split: splitOf(seed),
      seed: `${file} ${index}`,
    }));
  });
}

function obfuscated(split: Split, attacks: readonly Item[]): Item[] {
  const random = randomFor(split, 1);
  const sources = attacks.filter(
    (item) => item.split === split && item.language === 'en' && isDirect(item) && item.text.length < 160,
  );
  const make = (group: string, transforms: typeof encodings) =>
    Object.values(transforms).flatMap((transform, index) =>
      Array.from({ length: PER_TRANSFORM }, () => ({
        text: transform(pick(sources, random).text, random),
        group,
        language: 'en',
        split,
        seed: `${group} ${index}`,
      })),
    );
  return [...make('encoded', encodings), ...make('disguised', disguises)];
}

const isDirect = ({ group }: Item) =>
  [
    'instruction_override',
    'prompt_extraction',
    'persona_jailbreak',
    'developer_mode',
    'authority_claim',
  ].includes(group);

/** An attack somewhere among harmless sentences. */
function embedded(split: Split, attacks: readonly Item[], benign: readonly Item[]): Item[] {
  const random = randomFor(split, 2);
  const sources = attacks.filter((item) => item.split === split && item.language === 'en' && isDirect(item));
  return Array.from({ length: EMBEDDED }, (_, index) => {
    const sentences = harmless(split, benign, random);
    sentences.splice(randomInteger(random, 1, sentences.length), 0, pick(sources, random).text);
    return {
      text: sentences.join(pick([' ', '\n', '\n\n'], random)),
      group: 'embedded',
      language: 'en',
      split,
      seed: `embedded ${index}`,
    };
  });
}

function longTexts(split: Split, benign: readonly Item[]): Item[] {
  const random = randomFor(split, 3);
  return Array.from({ length: LONG_TEXTS }, (_, index) => ({
    text: harmless(split, benign, random).join(pick([' ', '\n', '\n\n'], random)),
    group: 'long',
    language: 'en',
    split,
    seed: `long ${index}`,
  }));
}

function harmless(split: Split, benign: readonly Item[], random: Random): string[] {
  const sources = benign.filter((item) => item.split === split && item.language === 'en');
  return Array.from({ length: randomInteger(random, 5, 14) }, () => pick(sources, random).text);
}

function randomFor(split: Split, purpose: number): Random {
  return seededRandom(deriveSeed(VERSION_SEED, 1000 * purpose + splits.indexOf(split)));
}

function unique(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.text, item])).values()];
}
