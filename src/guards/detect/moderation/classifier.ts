import type { Classifier } from '../../finding.js';
import { plainText } from '../../normalise/plain.js';
import { Marks } from '../linear/marks.js';
import { LinearModel, type Verdict } from '../linear/model.js';
import { MeaningMarker, meaningsOf } from '../words/about.js';
import { PhraseMatcher } from '../words/phrase-matcher.js';
import { tokenise } from '../words/tokenise.js';
import type { Words } from '../words/words.js';
import { moderationCategories } from './categories.js';
import { moderationLexicon } from './lexicon.js';

const matcher = new PhraseMatcher(meaningsOf(moderationLexicon));

/** What the classifier knows beside words: what these are about. */
export function moderationMarks(words: Words): Marks {
  const marks = new Marks();
  const meanings = new MeaningMarker(marks);
  matcher.match(words, (hash, _, word) => meanings.add(word, hash));
  return marks;
}

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
