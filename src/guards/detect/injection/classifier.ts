import type { Classifier } from '../../finding.js';
import type { Span } from '../../normalise/mapped-text.js';
import { type View, viewsOf } from '../../normalise/views.js';
import { LinearModel } from '../linear/model.js';
import { CERTAIN_BY_WORDS } from './certain.js';
import type { InjectionCategory } from './phrases.js';
import { orderLabel, type Reading, read } from './reading.js';

export interface InjectionVerdict {
  score: number; // calibrated probability that the text is an attack
  category: InjectionCategory; // of its heaviest phrase; 'prompt_injection' where there is none
  span: Span; // of the worst window, in the original
  view: View | null; // where it showed; null: nowhere
}

/** From which score on a text counts as an attack: one in a hundred of the harmless texts that cross-validation leaves out reaches it (docs/guards-quality.md). */
export function injectionThreshold(): number {
  return model().header.labels[0]!.threshold;
}

/** The worst over all views of the text. */
export function judgeInjection(text: string): InjectionVerdict {
  let worst: InjectionVerdict = {
    score: 0,
    category: 'prompt_injection',
    span: { start: 0, end: 0 },
    view: null,
  };
  for (const view of viewsOf(text)) {
    const verdict = judgeReading(read(view));
    if (verdict !== null && verdict.score > worst.score) worst = verdict;
  }
  return worst;
}

export const injectionClassifier: Classifier = {
  name: 'prompt-injection',
  score(text) {
    const { category, score } = judgeInjection(text);
    return [{ category, score }];
  },
};

function judgeReading(reading: Reading): InjectionVerdict | null {
  const { view, words, sightings } = reading;
  if (words.length === 0) return null;
  const byWords = judgeWords(reading);
  // No harmless text of the sets gives a plain order; few other words stand beside it for the classifier to go by.
  const order = sightings.find(({ label }) => label === orderLabel);
  if (order === undefined || byWords.score >= CERTAIN_BY_WORDS) return byWords;
  const { start, end, label } = order;
  return { score: CERTAIN_BY_WORDS, category: label.category, span: view.mapped.original(start, end), view };
}

function judgeWords(reading: Reading): InjectionVerdict {
  const { view, words, sightings, marks } = reading;
  const { probability, window } = model().judge(words, marks)[0]!;
  const seen = sightings.filter(({ word }) => word >= window.from && word < window.to);
  const heaviest = seen.reduce(
    (most, { label }) => (label.weight > (most?.weight ?? 0) ? label : most),
    seen[0]?.label,
  );
  return {
    score: probability,
    category: heaviest?.category ?? 'prompt_injection',
    span: view.mapped.original(words.starts[window.from]!, words.ends[window.to - 1]!),
    view,
  };
}

let loaded: LinearModel | null = null;

function model(): LinearModel {
  loaded ??= LinearModel.load('prompt-injection');
  return loaded;
}
