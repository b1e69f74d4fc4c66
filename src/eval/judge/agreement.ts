import { type Agreement, agreementOf } from '../statistics/agreement.js';
import type { EvalTarget } from '../target/target.js';
import { rate } from './rate.js';

export interface LabelledCase {
  prompt: string;
  answer: string;
  expected?: string | null | undefined;
  good: boolean; // what people said
}

const CONCURRENCY = 8;
const GOOD = 0.7;

/** The judges' verdicts, good from 0.7, against people's. What can't be read is counted beside. */
export async function judgeAgreement(
  judges: readonly EvalTarget[],
  cases: readonly LabelledCase[],
  criteria: readonly string[],
  signal: AbortSignal,
): Promise<Agreement & { unreadable: number }> {
  const pairs: [boolean, boolean][] = [];
  const left = [...cases];
  let unreadable = 0;
  const worker = async () => {
    for (let each = left.pop(); each; each = left.pop()) {
      const judged = {
        question: each.prompt,
        answer: each.answer,
        expected: each.expected ?? null,
        criteria,
      };
      const { value } = await rate(judges, judged, signal);
      if (value === null) unreadable += 1;
      else pairs.push([each.good, value >= GOOD]);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return { ...agreementOf(pairs), unreadable };
}
