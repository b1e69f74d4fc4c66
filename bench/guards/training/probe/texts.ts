import { hashText } from '../../../../src/support/fnv.js';
import { deriveSeed, seededRandom } from '../../../workload/random.js';
import { readAuthorTexts } from '../../author-texts.js';
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

/** Of the packages' texts, as many in a hundred. */
const LEFT_OUT_PACKAGES = 14;

/** The texts of several authors, and samples of what the word classifier learns from. */
export function makeProbeTexts(): ProbeText[] {
  const others = makeTrainingTexts().filter(({ text }) => text.length <= MAX_CHARACTERS);
  const sample = (texts: readonly TrainingText[], count: number) =>
    texts
      .map((each, index) => ({ each, rank: seededRandom(deriveSeed(SEED, index))() }))
      .sort((a, b) => a.rank - b.rank)
      .slice(0, count)
      .map(({ each }) => each);
  const isPackage = ({ group }: TrainingText) => group.startsWith('package');
  return [
    ...readAuthorTexts().map(({ author, language: _, ...text }) => ({ ...text, source: `author ${author}` })),
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
