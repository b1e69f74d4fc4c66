import { type Preference, prefer } from '../judge/prefer.js';
import type { Run } from '../run/types.js';
import type { EvalTarget } from '../target/target.js';

const CONCURRENCY = 8;

/** Whose answers a judge prefers, case by case (first repeats), over the cases that both have answered. What fails counts as unreadable. */
export async function comparePreferences(
  judge: EvalTarget,
  before: Run,
  after: Run,
  signal: AbortSignal,
): Promise<Record<Preference, number>> {
  const old = new Map(
    before.results.filter(({ repeat }) => repeat === 0).map((result) => [result.caseId, result]),
  );
  const pairs = after.results.flatMap(({ caseId, repeat, prompt, answer }) => {
    const earlier = old.get(caseId)?.answer;
    return repeat === 0 && earlier && answer
      ? [{ question: prompt, a: earlier.text, b: answer.text, criteria: [] }]
      : [];
  });
  const counts = { a: 0, b: 0, tie: 0, unreadable: 0 };
  const preferenceFor = (pair: Parameters<typeof prefer>[1]) =>
    prefer(judge, pair, signal).catch((): Preference => {
      signal.throwIfAborted();
      return 'unreadable';
    });
  const worker = async () => {
    for (let pair = pairs.pop(); pair; pair = pairs.pop()) counts[await preferenceFor(pair)] += 1;
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return counts;
}
