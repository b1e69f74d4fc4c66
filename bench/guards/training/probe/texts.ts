import { hashText } from '../../../../src/support/fnv.js';
import { deriveSeed, seededRandom } from '../../../workload/random.js';
import { readAuthors } from '../../authors.js';
import type { Item } from '../../split.js';
import { readTextSet } from '../../text-set.js';
import { makeTrainingTexts, type TrainingText } from '../training-set.js';

/** A text that the probe learns from. */
export interface ProbeText {
  text: string;
  isAttack: boolean;
  source: string; // 'author 3', 'author of guards-blind', 'templates' or 'packages'
  /** In which of the folds it is left out; null: in none. */
  fold: number | null;
}

/** Of makeTrainingTexts: enough to know them, few enough that the authors' words count more. */
const SAMPLES = { attacks: 2_500, harmless: 2_500, packages: 2_400 };
const MAX_CHARACTERS = 2_500;
const SEED = 20_265;

/** By author: each is left out once. Two have the same situations in several languages, and are left out together. */
const foldOfAuthor: Readonly<Record<string, number>> = {
  1: 0,
  2: 1,
  3: 2,
  4: 3,
  5: 4,
  6: 5,
  7: 2,
  'of guards-blind': 6,
};
export const FOLDS = 7;
/** No longer for testing; nobody has read it all the same. */
const USED_UP_SET = 'guards-blind';

/** The texts of several authors, and samples of what the word classifier learns from. */
export function makeProbeTexts(): ProbeText[] {
  const { attacks, benign } = readAuthors();
  const another = readTextSet(USED_UP_SET);
  const others = makeTrainingTexts().filter(({ text }) => text.length <= MAX_CHARACTERS);
  const sample = (texts: readonly TrainingText[], count: number) =>
    texts
      .map((each, index) => ({ each, rank: seededRandom(deriveSeed(SEED, index))() }))
      .sort((a, b) => a.rank - b.rank)
      .slice(0, count)
      .map(({ each }) => each);
  const isPackage = ({ group }: TrainingText) => group.startsWith('package');
  return [
    ...attacks.map((item) => ofAuthor(item, true)),
    ...benign.map((item) => ofAuthor(item, false)),
    ...another.attacks.map((item) => ofAuthor({ ...item, group: 'of guards-blind' }, true)),
    ...another.benign.map((item) => ofAuthor({ ...item, group: 'of guards-blind' }, false)),
    ...sample(
      others.filter(({ isAttack }) => isAttack),
      SAMPLES.attacks,
    ).map(({ text }) => ({ text, isAttack: true, source: 'templates', fold: null })),
    ...sample(
      others.filter((each) => !each.isAttack && !isPackage(each)),
      SAMPLES.harmless,
    ).map(({ text }) => ({ text, isAttack: false, source: 'templates', fold: null })),
    ...sample(others.filter(isPackage), SAMPLES.packages).map(({ text, fold }) => ({
      text,
      isAttack: false,
      source: 'packages',
      fold: fold === null ? null : hashText(text) % FOLDS,
    })),
  ];
}

function ofAuthor({ text, group }: Item, isAttack: boolean): ProbeText {
  return { text, isAttack, source: `author ${group}`, fold: foldOfAuthor[group]! };
}
