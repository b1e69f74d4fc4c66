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
  /** Calibration and threshold come from it, before the probe learns from it. */
  isLeftOut: boolean;
}

/** Of makeTrainingTexts: enough to know them, few enough that the authors' words count more. */
const SAMPLES = { attacks: 700, harmless: 700, packages: 700 };
const MAX_CHARACTERS = 2_500;
const SEED = 20_265;

/** Direct attacks, those in natural words, and a mix in twelve languages. */
const LEFT_OUT: readonly string[] = ['1', '6', 'of guards-blind'];
/** Of the packages' texts, as many in a hundred. */
const LEFT_OUT_PACKAGES = 14;
/** No longer for testing; nobody has read them all the same. */
const USED_UP_SETS = ['guards-blind', 'guards-blind-2'];

/** The texts of several authors, and samples of what the word classifier learns from. */
export function makeProbeTexts(): ProbeText[] {
  const { attacks, benign } = readAuthors();
  const usedUp = USED_UP_SETS.map((name) => ({ ...readTextSet(name), group: `of ${name}` }));
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
    ...usedUp.flatMap(({ attacks, benign, group }) => [
      ...attacks.map((item) => ofAuthor({ ...item, group }, true)),
      ...benign.map((item) => ofAuthor({ ...item, group }, false)),
    ]),
    ...sample(
      others.filter(({ isAttack }) => isAttack),
      SAMPLES.attacks,
    ).map(({ text }) => ({ text, isAttack: true, source: 'templates', isLeftOut: false })),
    ...sample(
      others.filter((each) => !each.isAttack && !isPackage(each)),
      SAMPLES.harmless,
    ).map(({ text }) => ({ text, isAttack: false, source: 'templates', isLeftOut: false })),
    ...sample(others.filter(isPackage), SAMPLES.packages).map(({ text }) => ({
      text,
      isAttack: false,
      source: 'packages',
      isLeftOut: hashText(text) % 100 < LEFT_OUT_PACKAGES,
    })),
  ];
}

function ofAuthor({ text, group }: Item, isAttack: boolean): ProbeText {
  return { text, isAttack, source: `author ${group}`, isLeftOut: LEFT_OUT.includes(group) };
}
