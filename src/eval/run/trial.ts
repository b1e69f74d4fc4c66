import { toSluiceError } from '../../errors.js';
import type { TrialResult } from '../run/types.js';
import type { Scorer } from '../score/scorer.js';
import { weightedMean } from '../score/weighted-mean.js';
import type { ScorerSpec } from '../suite/schema.js';
import { type EvalCase, textOf } from '../suite/suite.js';
import type { EvalTarget } from '../target/target.js';

export interface CaseScorer {
  spec: ScorerSpec;
  score: Scorer;
}

export interface Trial {
  subject: EvalCase;
  scorers: readonly CaseScorer[];
  repeat: number;
  seed: number;
}

/** Asks and scores. What goes wrong is in the result; rejects only once `signal` aborts. */
export async function runTrial(
  trial: Trial,
  target: EvalTarget,
  judges: readonly EvalTarget[],
  signal: AbortSignal,
): Promise<TrialResult> {
  const { subject, scorers, repeat, seed } = trial;
  const { id: caseId, tags, question, expected } = subject;
  const params = { ...subject.params, seed: (subject.params.seed ?? seed) + repeat };
  const common = { caseId, repeat, tags, prompt: textOf(question), params, expected };
  try {
    const answer = scorers.some(({ spec }) => needsAnswer(spec))
      ? await target.answer(question, params, signal)
      : null;
    const scored = { subject, answer: answer?.text ?? '', target, judges, signal };
    const scores = await Promise.all(
      scorers.map(async ({ spec, score }) => ({ name: spec.name ?? spec.type, ...(await score(scored)) })),
    );
    const score = weightedMean(
      scores.map(({ value }, index) => ({ value, weight: scorers[index]!.spec.weight })),
    );
    const status = score === null ? 'unscored' : score >= subject.threshold ? 'passed' : 'failed';
    return { ...common, answer, scores, score, status, error: null };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message } = toSluiceError(thrown);
    return { ...common, answer: null, scores: [], score: null, status: 'error', error: { code, message } };
  }
}

function needsAnswer(spec: ScorerSpec): boolean {
  return spec.type !== 'choice' && !(spec.type === 'perplexity' && spec.of === 'expected');
}
