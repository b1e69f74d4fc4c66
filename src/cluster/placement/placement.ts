import type { WorkerState } from '../roster/roster.js';
import type { OwnShare } from './own-work.js';
import { sharedLength } from './prefix.js';

/**
 * A worker as a gateway knows it: what its last heartbeat said, but for the gateway's own requests, of which the gateway
 * knows more than a heartbeat can say.
 */
export interface Placeable {
  state: WorkerState;
  prefixes: ReadonlySet<number>;
  own: OwnShare;
}

/** Where a request goes first, and who is to be told what becomes of it there. */
export interface Placement {
  stream: string;
  conversation: string; // '': none
  homes: readonly string[]; // workers that it may be left to instead, where its conversation is at one of them
  queuedIn(stream: string): void;
  /** Who is at it now; null: nobody, since it has ended or begins anew. */
  moved(worker: string | null): void;
}

/** To a stream, of no conversation and without any account of it. */
export function placedIn(stream: string): Placement {
  return { stream, conversation: '', homes: [], queuedIn: () => undefined, moved: () => undefined };
}

/** Whether a worker can begin with one more, as far as the gateway of that id can know. */
export function hasRoom({ state, own }: Placeable, gateway: string): boolean {
  const running = state.running - (state.runningFor[gateway] ?? 0) + own.sequences;
  return !state.isDraining && running < state.maxSequences;
}

/**
 * The worker that holds the longest prefix of a prompt, where it has a place free; null: whichever comes first. A longer
 * prefix at a full worker isn't worth the wait behind its requests.
 */
export function place(
  names: readonly number[],
  workers: readonly Placeable[],
  gateway: string,
): string | null {
  let best: Placeable | null = null;
  let longest = 0;
  for (const worker of workers) {
    if (!hasRoom(worker, gateway)) continue;
    const { prefixes, own } = worker;
    const holds = (name: number) => prefixes.has(name) || own.fresh.has(name) || own.recent.has(name);
    const length = sharedLength(names, holds);
    if (length > longest) [best, longest] = [worker, length];
  }
  return best?.state.id ?? null;
}
