import type { ScorerSpec } from '../suite/schema.js';
import { type Scorer, score, unknownScore } from './scorer.js';

const NUMBER = /[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[-+]?\d+)?/gi;

/** Compares the first (or last) number of the answer with the expected one. */
export function numeric({ tolerance, relative, pick }: Extract<ScorerSpec, { type: 'number' }>): Scorer {
  return ({ answer, subject }) => {
    const said = numbersIn(answer).at(pick === 'first' ? 0 : -1);
    if (said === undefined) return score(0, 'no number in the answer');
    const wanted = subject.expected.flatMap((text) => numbersIn(text).slice(0, 1));
    if (wanted.length === 0) return unknownScore('expected holds no number');
    return score(
      wanted.some(
        (each) => Math.abs(said - each) <= (relative ? tolerance * Math.abs(each) : tolerance) + 1e-12,
      ),
    );
  };
}

export function numbersIn(text: string): number[] {
  return [...text.matchAll(NUMBER)]
    .map(([found]) => found)
    .filter((found) => /\d/.test(found))
    .map((found) => Number(found.replaceAll(',', '').replace('−', '-')));
}
