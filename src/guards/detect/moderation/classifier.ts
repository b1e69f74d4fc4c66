import type { Classifier } from '../../finding.js';
import { plainText } from '../../normalise/plain.js';
import { LinearModel, type Verdict } from '../linear/model.js';
import { aboutMarker } from '../words/about.js';
import { tokenise } from '../words/tokenise.js';
import { moderationCategories } from './categories.js';
import { moderationLexicon } from './lexicon.js';

export const moderationMarks = aboutMarker(moderationLexicon);

/** Calibrated probabilities in all of OpenAI's categories. A first sieve: docs/guards-quality.md says how weak. */
export const moderationClassifier: Classifier = {
  name: 'moderation',
  score(text) {
    return judge(text).map(({ label, probability }) => ({ category: label.name, score: probability }));
  },
};

/** From which score on each category counts. */
export function moderationThresholds(): Record<string, number> {
  return Object.fromEntries(model().header.labels.map(({ name, threshold }) => [name, threshold]));
}

function judge(text: string): Pick<Verdict, 'label' | 'probability'>[] {
  const words = tokenise(plainText(text).text);
  if (words.length === 0)
    return moderationCategories.map((name) => ({
      label: { ...model().header.labels[0]!, name },
      probability: 0,
    }));
  return model().judge(words, moderationMarks(words));
}

let loaded: LinearModel | null = null;

function model(): LinearModel {
  loaded ??= LinearModel.load('moderation');
  return loaded;
}
