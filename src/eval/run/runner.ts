import { setMaxListeners } from 'node:events';
import type { EvalTarget } from '../target/target.js';
import { runTrial, type Trial } from './trial.js';
import type { TrialResult } from './types.js';

export interface RunnerOptions {
  trials: readonly Trial[];
  target: EvalTarget;
  judges: readonly EvalTarget[];
  concurrency: number; // trials under way at once
  /** Results that are there already: not asked for again, unless they were errors. */
  earlier: readonly TrialResult[];
  /** Keeps a result before the next is begun; what it throws ends the run. */
  save: (result: TrialResult) => void;
  onProgress: (done: number, result: TrialResult) => void;
  signal: AbortSignal;
}

/** Runs what is left of a run, and returns all results in the order of the trials. Rejects as `save` throws, or once aborted. */
export async function runTrials(options: RunnerOptions): Promise<TrialResult[]> {
  const { trials, target, judges, concurrency, save, onProgress } = options;
  const failed = new AbortController(); // one that can't be kept ends the others too
  const signal = AbortSignal.any([options.signal, failed.signal]);
  setMaxListeners(0, signal); // every request under way listens
  const keyOf = (caseId: string, repeat: number) => `${repeat} ${caseId}`;
  const known = new Map(
    options.earlier
      .filter(({ status }) => status !== 'error')
      .map((result) => [keyOf(result.caseId, result.repeat), result]),
  );
  const results: TrialResult[] = [];
  let next = 0;
  let done = 0;
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
