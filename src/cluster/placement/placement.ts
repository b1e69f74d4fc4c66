import type { WorkerState } from '../roster/roster.js';
import { sharedLength } from './prefix.js';

/** A worker, and how many requests it was given since it last said how many it has. */
export interface Placeable {
  state: WorkerState;
  prefixes: ReadonlySet<number>;
  given: number;
}

/**
 * The worker that holds the longest prefix of a prompt, where it has a place free; null: whichever comes first. A longer
 * prefix at a full worker isn't worth the wait behind its requests.
 */
export function place(names: readonly number[], workers: readonly Placeable[]): string | null {
  let best: Placeable | null = null;
  let longest = 0;
  for (const worker of workers) {
    const { state, prefixes, given } = worker;
    if (state.isDraining || state.running + given >= state.maxSequences) continue;
    const length = sharedLength(names, prefixes);
    if (length > longest) [best, longest] = [worker, length];
  }
  return best?.state.id ?? null;
}
