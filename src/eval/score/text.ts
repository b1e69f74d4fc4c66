import { RE2JS } from 're2js';
import { normalised } from '../../support/word-overlap.js';
import type { ScorerSpec } from '../suite/schema.js';
import { listOf } from '../suite/suite.js';
import { type Scorer, score } from './scorer.js';

export const exact: Scorer = ({ answer, subject }) => score(subject.expected.includes(answer));

export const normalisedMatch: Scorer = ({ answer, subject }) => {
  const said = normalised(answer);
  return score(subject.expected.some((text) => normalised(text) === said));
};

export function contains({ text, all }: Extract<ScorerSpec, { type: 'contains' }>): Scorer {
  return ({ answer, subject }) => {
    const wanted = text === undefined ? subject.expected : listOf(text);
    const found = wanted.filter((each) => answer.includes(each)).length;
    return score(all ? found === wanted.length : found > 0);
  };
}

/** RE2: a pattern of a suite can't take exponential time. Throws where it isn't one. */
export function regex({ pattern, not }: Extract<ScorerSpec, { type: 'regex' }>): Scorer {
  const compiled = RE2JS.compile(pattern);
  return ({ answer }) => score(compiled.matcher(answer).find() !== not);
}
