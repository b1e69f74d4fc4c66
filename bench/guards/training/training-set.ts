import { hashText } from '../../../src/support/fnv.js';
import { deriveSeed, type Random, randomInteger, seededRandom } from '../../workload/random.js';
import { freshFamilies, freshLanguages, freshOverlap } from '../fresh.js';
import { pick, readSeeds } from '../seeds.js';
import { readSet } from '../sets.js';
import { HELD_OUT_LANGUAGE, heldOutFamilies, type Item, sameAsTested, trainingItems } from '../split.js';
import { packagePieces } from './prose.js';
import { habits, hidings } from './rewrite.js';
import { Templates } from './templates.js';

/** A text to train on. */
export interface TrainingText {
  text: string;
  isAttack: boolean;
  language: string;
  group: string; // family of attacks, or kind of harmless text
  /** The fold of cross-validation in which it is left out; null: it never is. */
  fold: number | null;
}

/**
 * Threshold and calibration come from what a fold leaves out: these groups and languages of the templates, packages, and a part of what was
 * written by hand.
 */
const leftOut: readonly { groups: readonly string[]; languages: readonly string[] }[] = [
  { groups: ['authority_claim', 'completion_bait', 'email'], languages: ['nl', 'hi'] },
  { groups: ['tool_abuse', 'policy_puppetry', 'sysadmin', 'config'], languages: ['pl', 'ko'] },
  { groups: ['developer_mode', 'payload_splitting', 'support_ticket', 'news'], languages: ['tr', 'ar'] },
  { groups: ['fiction_shield', 'refusal_suppression', 'code', 'policy'], languages: ['pt'] },
];
const FOLDS = leftOut.length;

const heldOutLanguages = [HELD_OUT_LANGUAGE, ...freshLanguages];
export const templateFiles = {
  attacks: ['training/attacks-en.txt', 'training/attacks-other.txt', 'training/attacks-natural.txt'],
  benign: ['training/benign-en.txt', 'training/benign-other.txt', 'training/benign-natural.txt'],
};
const SEED = 20_264;
const VARIANTS = { attack: 45, benign: 28 };
const HABITUAL = 0.3; // share of texts that are written as people type
const MAX_SENTENCES = 36;
const HIDABLE = { min: 20, max: 220 }; // characters
const derived = {
  training: { hiddenAttacks: 1_800, hiddenBenign: 1_800, embedded: 4_000, long: 4_000 },
  fold: { hiddenAttacks: 60, hiddenBenign: 60, embedded: 250, long: 200 },
};

/** Everything that the injection classifier learns from: the sets' training halves, what the templates of seeds/training give, and packages' texts. */
export function makeTrainingTexts(): TrainingText[] {
  const templates = new Templates('training/lists.txt');
  const all = unique([
    ...fromSet('attacks'),
    ...fromSet('benign'),
    ...fromTemplates(templates, true, ...templateFiles.attacks),
    ...fromTemplates(templates, false, ...templateFiles.benign),
    ...fromPackages(),
  ]);
  const isFresh = freshOverlap();
  const isTested = sameAsTested([...readSet<Item>('attacks'), ...readSet<Item>('benign')]);
  return [
    ...all,
    ...[null, ...Array.from({ length: FOLDS }, (_, fold) => fold)].flatMap((fold) =>
      derive(
        all.filter((each) => each.fold === fold),
        fold === null ? derived.training : derived.fold,
        templates,
        seededRandom(deriveSeed(SEED, fold ?? FOLDS)),
      ),
    ),
  ].filter(({ text }) => !isFresh(text) && !isTested(text));
}

/** Half of the packages are left out once; the others carry attacks in every fold. */
function fromPackages(): TrainingText[] {
  return packagePieces(seededRandom(deriveSeed(SEED, 30_000))).map(({ text, source, kind }) => {
    const part = (hashText(source) >>> 8) % (2 * FOLDS);
    return {
      text,
      isAttack: false,
      language: 'en',
      group: `package ${kind}`,
      fold: part < FOLDS ? part : null,
    };
  });
}

function fromSet(name: 'attacks' | 'benign'): TrainingText[] {
  return trainingItems(readSet<Item>(name)).map(({ text, group, language, seed }) => {
    const isByHand = !/-(training|templates)\.txt/.test(seed);
    const fold = isByHand ? foldOf(seed) : null;
    return { text, isAttack: name === 'attacks', language, group, fold };
  });
}

/** Refuses templates of what is held out, as trainingItems does for the sets. */
function fromTemplates(templates: Templates, isAttack: boolean, ...files: string[]): TrainingText[] {
  return readSeeds(...files).flatMap(({ text, group, language, index }) => {
    if ([...heldOutFamilies, ...freshFamilies].includes(group) || heldOutLanguages.includes(language))
      throw new Error(`Templates of what is held out: ${group}, ${language}.`);
    const random = seededRandom(deriveSeed(SEED, (isAttack ? 10_000 : 20_000) + index));
    const left = leftOut.findIndex(
      ({ groups, languages }) => groups.includes(group) || languages.includes(language),
    );
    const fold = left === -1 ? null : left;
    const variants = isAttack ? VARIANTS.attack : VARIANTS.benign;
    return Array.from({ length: variants }, () => {
      const written = templates.write(text, random).trim();
      const asTyped = random() < HABITUAL ? pick(habits, random)(written, random) : written;
      return { text: asTyped, isAttack, language, group, fold };
    });
  });
}

function derive(
  sources: readonly TrainingText[],
  counts: (typeof derived)['training'],
  templates: Templates,
  random: Random,
): TrainingText[] {
  const attacks = sources.filter(({ isAttack }) => isAttack);
  const benign = sources.filter(({ isAttack }) => !isAttack);
  const carriers = new Carriers(benign, templates);
  return [
    ...hide(attacks, counts.hiddenAttacks, random),
    ...hide(benign, counts.hiddenBenign, random),
    ...Array.from({ length: counts.embedded }, () => embed(pick(attacks, random), carriers, random)),
    ...Array.from({ length: counts.long }, () => longText(pick(benign, random), carriers, random)),
  ];
}

function hide(texts: readonly TrainingText[], count: number, random: Random): TrainingText[] {
  const short = texts.filter(
    ({ text, language }) => language === 'en' && text.length < HIDABLE.max && text.length > HIDABLE.min,
  );
  return Array.from({ length: count }, (_, index) => {
    const source = pick(short, random);
    return { ...source, text: hidings[index % hidings.length]!(source.text, random) };
  });
}

/** Somewhere in a longer harmless text. */
function embed(attack: TrainingText, carriers: Carriers, random: Random): TrainingText {
  const parts = random() < 0.4 ? carriers.paragraph(random) : carriers.sentences(attack.language, random);
  parts.splice(randomInteger(random, 0, parts.length), 0, attack.text);
  return { ...attack, text: parts.join(pick(joints, random)) };
}

function longText(source: TrainingText, carriers: Carriers, random: Random): TrainingText {
  const text = carriers.sentences(source.language, random).join(pick(joints, random));
  return { ...source, text, group: 'long' };
}

const joints = [' ', ' ', '\n', '\n\n'];

/** Harmless sentences of one language, or of all; in half of the English texts every other is from a document. */
class Carriers {
  private readonly byLanguage = new Map<string, TrainingText[]>();
  private readonly spoken: readonly TrainingText[];
  private readonly prose: readonly TrainingText[];

  constructor(
    benign: readonly TrainingText[],
    private readonly templates: Templates,
  ) {
    this.spoken = benign.filter(({ group }) => !group.startsWith('package'));
    this.prose = benign.filter(({ group }) => group === 'package prose');
    for (const each of this.spoken) {
      const own = this.byLanguage.get(each.language);
      if (own === undefined) this.byLanguage.set(each.language, [each]);
      else own.push(each);
    }
  }

  /** What a package says of itself, sentence by sentence. */
  paragraph(random: Random): string[] {
    return pick(this.prose, random).text.split(/(?<=[.!?:]\s)|\n/);
  }

  sentences(language: string, random: Random): string[] {
    const own = this.byLanguage.get(language);
    const kinds = own !== undefined && random() < 0.7 ? own : this.spoken;
    const isDocument = language === 'en' && random() < 0.5;
    return Array.from({ length: randomInteger(random, 2, MAX_SENTENCES) }, () =>
      isDocument && random() < 0.5 ? this.templates.write('$PLAIN', random) : pick(kinds, random).text,
    );
  }
}

/** One for all texts of a source. */
export function foldOf(source: string): number {
  return (hashText(source) >>> 8) % FOLDS;
}

function unique(texts: readonly TrainingText[]): TrainingText[] {
  return [...new Map(texts.map((each) => [each.text, each])).values()];
}
