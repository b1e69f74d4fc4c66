import type { ScorerSpec } from '../suite/schema.js';
import { textOf } from '../suite/suite.js';
import { type Scorer, score, unknownScore } from './scorer.js';

/** Whether the model finds the right choice the likeliest to follow the prompt. The answer isn't looked at. */
export function choice({ normalise }: Extract<ScorerSpec, { type: 'choice' }>): Scorer {
  return async ({ subject, target, signal }) => {
    const { choices, expected, question } = subject;
    const logprobs = await target.logprobs(textOf(question), choices, signal);
    const ranks = logprobs.map(({ sum }, index) =>
      normalise === 'bytes' ? sum / Buffer.byteLength(choices[index]!) : sum,
    );
    const picked = ranks.indexOf(Math.max(...ranks));
    const detail = choices
      .map((text, index) => `${text.trim()} ${logprobs[index]!.sum.toFixed(3)}`)
      .join(', ');
    return score(expected.includes(choices[picked]!), `${choices[picked]!.trim()}: ${detail}`);
  };
}

/** How little a text surprises the model that is asked: perplexity 1 scores 1, the limit 0, and between by logarithm. */
export function perplexity({ of, limit, model }: Extract<ScorerSpec, { type: 'perplexity' }>): Scorer {
  return async ({ subject, answer, target, signal }) => {
    const text = of === 'answer' ? answer : subject.expected[0]!;
    if (text === '') return score(0, 'an empty text has no perplexity');
    const asked = model === undefined ? target : target.as(model);
    const [logprob] = await asked.logprobs(textOf(subject.question), [text], signal);
    const { sum, tokens } = logprob!;
    if (tokens === 0) return unknownScore('the endpoint gave no log-probabilities');
    const value = Math.exp(-sum / tokens);
    return score(
      1 - Math.log(value) / Math.log(limit),
      `perplexity ${value.toFixed(2)} over ${tokens} tokens`,
    );
  };
}
