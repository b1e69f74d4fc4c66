import type { ScorerSpec } from '../suite/schema.js';
import { type Scorer, score } from './scorer.js';

/** Cosine similarity to the nearest right answer; opposite directions count as 0. */
export function embedding({ model }: Extract<ScorerSpec, { type: 'embedding' }>): Scorer {
  return async ({ subject, answer, target, signal }) => {
    if (answer.trim() === '') return score(0, 'the answer is empty');
    const [said, ...right] = await target.embed([answer, ...subject.expected], model ?? target.model, signal);
    return score(Math.max(...right.map((each) => cosine(said!, each))));
  };
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  const norms = Math.sqrt(dot(a, a) * dot(b, b));
  return norms === 0 ? 0 : dot(a, b) / norms;
}
