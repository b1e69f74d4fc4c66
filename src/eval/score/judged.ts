import { rate } from '../judge/rate.js';
import type { ScorerSpec } from '../suite/schema.js';
import { textOf } from '../suite/suite.js';
import { type Scorer, score, unknownScore } from './scorer.js';

export function judged({ criteria }: Extract<ScorerSpec, { type: 'judge' }>): Scorer {
  return async ({ subject, answer, judges, signal }) => {
    if (judges.length === 0) return unknownScore('no judge was given (--judge)');
    const asked = {
      question: textOf(subject.question),
      answer,
      expected: subject.expected[0] ?? null,
      criteria: criteria ?? subject.criteria,
    };
    const { value, detail } = await rate(judges, asked, signal);
    return value === null ? unknownScore(detail) : score(value, detail);
  };
}
