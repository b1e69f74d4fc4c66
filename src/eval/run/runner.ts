import { setMaxListeners } from 'node:events';
import { SluiceError } from '../../errors.js';
import type { EvalTarget } from '../target/target.js';
import { runTrial, type Trial } from './trial.js';
import type { TrialResult } from './types.js';

export interface RunnerOptions {
  trials: readonly Trial[];
  target: EvalTarget;
  judges: readonly EvalTarget[];
  concurrency: number; // trials under way at once
  /** Results that are there already: not asked for again where they have a score. */
  earlier: readonly TrialResult[];
  /** Keeps a result before the next is begun; what it throws ends the run. */
  save: (result: TrialResult) => void;
  onProgress: (done: number, result: TrialResult) => void;
  signal: AbortSignal;
}

/** Trials in a row that an endpoint gives no answer to, before a run ends: each of those that are left would take as long. */
const GIVE_UP_AFTER = 20;

/**
 * Runs what is left of a run, and returns all results in the order of the trials. Rejects as `save` throws, once aborted, or with
 * upstream_failed where the endpoint seems to be gone.
 */
export async function runTrials(options: RunnerOptions): Promise<TrialResult[]> {
  const { trials, target, judges, concurrency, save, onProgress } = options;
  const failed = new AbortController(); // one that can't be kept ends the others too
  const signal = AbortSignal.any([options.signal, failed.signal]);
  setMaxListeners(0, signal); // every request under way listens
  const keyOf = (caseId: string, repeat: number) => `${repeat} ${caseId}`;
  const known = new Map(
    options.earlier
      .filter(({ score }) => score !== null)
      .map((result) => [keyOf(result.caseId, result.repeat), result]),
  );
  const results: TrialResult[] = [];
  let next = 0;
  let done = 0;
  let unanswered = 0; // in a row
  const worker = async () => {
    while (next < trials.length) {
      signal.throwIfAborted();
      const index = next++;
      const trial = trials[index]!;
      const earlier = known.get(keyOf(trial.subject.id, trial.repeat));
      const result = earlier ?? (await runTrial(trial, target, judges, signal));
      if (!earlier) save(result);
      results[index] = result;
      done += 1;
      onProgress(done, result);
      if (!earlier) unanswered = isUnanswered(result) ? unanswered + 1 : 0;
      if (unanswered >= GIVE_UP_AFTER)
        throw new SluiceError(
          'upstream_failed',
          `${unanswered} trials in a row had no answer. The last one: ${result.error!.message}`,
        );
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, trials.length) }, worker));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  return results;
}

/** Not for what was asked, but since the endpoint is away, too slow, or refuses everybody. */
function isUnanswered({ error }: TrialResult): boolean {
  return error?.code.startsWith('upstream_') ?? false;
}
