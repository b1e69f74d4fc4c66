import { deriveSeed, type Random, randomInteger, seededRandom } from '../../workload/random.js';
import { pick, readSeeds, type Seed } from '../seeds.js';
import { readSet } from '../sets.js';
import { type Item, trainingItems } from '../split.js';
import { habits, hidings } from './rewrite.js';
import { Templates } from './templates.js';

/** A text to train on, with what it is left out together with in cross-validation: its family, kind or language. */
export interface TrainingText {
  text: string;
  isAttack: boolean;
  language: string;
  fold: string;
}

const SEED = 20_264;
const VARIANTS = { en: 70, other: 30 };
const HABITUAL = 0.3; // share of texts that are written as people type
const HIDDEN = { attacks: 1_800, benign: 1_500 };
const EMBEDDED = 3_000;
const LONG = 4_500;
const MAX_SENTENCES = 36;
const SHORT = 220; // characters of a text that is hidden

/** Everything that the injection classifier learns from: the sets' training halves, and what the templates of seeds/training give. */
export function makeTrainingTexts(): TrainingText[] {
  const templates = new Templates('training/lists.txt');
  const attacks = unique([
    ...fromSet('attacks'),
    ...fromTemplates(templates, true, 'training/attacks-en.txt', 'training/attacks-other.txt'),
  ]);
  const benign = unique([
    ...fromSet('benign'),
    ...fromTemplates(templates, false, 'training/benign-en.txt', 'training/benign-other.txt'),
  ]);
  const random = seededRandom(deriveSeed(SEED, 1));
  return [
    ...attacks,
    ...benign,
    ...hide(attacks, HIDDEN.attacks, random),
    ...hide(benign, HIDDEN.benign, random),
    ...Array.from({ length: EMBEDDED }, () => embed(pick(attacks, random), benign, templates, random)),
    ...Array.from({ length: LONG }, () => longText(benign, templates, random)),
  ];
}

function fromSet(name: 'attacks' | 'benign'): TrainingText[] {
  const isAttack = name === 'attacks';
  return trainingItems(readSet<Item>(name)).map(({ text, group, language }) => {
    return { text, isAttack, language, fold: foldOf(isAttack, group, language) };
  });
}

function fromTemplates(templates: Templates, isAttack: boolean, ...files: string[]): TrainingText[] {
  return readSeeds(...files).flatMap(({ text, group, language, index }: Seed) => {
    const random = seededRandom(deriveSeed(SEED, (isAttack ? 10_000 : 20_000) + index));
    const variants = language === 'en' ? VARIANTS.en : VARIANTS.other;
    return Array.from({ length: variants }, () => {
      const written = templates.write(text, random).trim();
      const asTyped = random() < HABITUAL ? pick(habits, random)(written, random) : written;
      return { text: asTyped, isAttack, language, fold: foldOf(isAttack, group, language) };
    });
  });
}

function foldOf(isAttack: boolean, group: string, language: string): string {
  return `${isAttack ? 'attack' : 'benign'} ${language === 'en' ? group : language}`;
}

function hide(texts: readonly TrainingText[], count: number, random: Random): TrainingText[] {
  const short = texts.filter(
    ({ text, language }) => language === 'en' && text.length < SHORT && text.length > 20,
  );
  return Array.from({ length: count }, (_, index) => {
    const source = pick(short, random);
    return { ...source, text: hidings[index % hidings.length]!(source.text, random) };
  });
}

/** Somewhere in a longer harmless text. */
function embed(
  attack: TrainingText,
  benign: readonly TrainingText[],
  templates: Templates,
  random: Random,
): TrainingText {
  const parts = harmless(benign, templates, random, attack.language);
  parts.splice(randomInteger(random, 0, parts.length), 0, attack.text);
  return { ...attack, text: parts.join(pick([' ', ' ', '\n', '\n\n'], random)) };
}

function longText(benign: readonly TrainingText[], templates: Templates, random: Random): TrainingText {
  const { language } = pick(benign, random);
  const text = harmless(benign, templates, random, language).join(pick([' ', ' ', '\n', '\n\n'], random));
  return { text, isAttack: false, language, fold: `benign long ${randomInteger(random, 0, 4)}` };
}

/** Sentences of one kind, or of all kinds. */
function harmless(
  benign: readonly TrainingText[],
  templates: Templates,
  random: Random,
  language: string,
): string[] {
  const count = randomInteger(random, 2, MAX_SENTENCES);
  const own = benign.filter((each) => each.language === language);
  const kinds = random() < 0.5 ? own : benign;
  return Array.from({ length: count }, () =>
    language === 'en' && random() < 0.5 ? templates.write('$PLAIN', random) : pick(kinds, random).text,
  );
}

function unique(texts: readonly TrainingText[]): TrainingText[] {
  return [...new Map(texts.map((each) => [each.text, each])).values()];
}
