import type { WorkQueue } from '../queue/work-queue.js';
import type { Active } from './dispatcher.js';

export interface LostJob {
  active: Active;
  reason: string;
  isLoss: boolean; // with a worker
}

/** Share of a lease that a request waits for the one worker it is meant for; then any may take it. */
const HOME_PATIENCE = 0.25;
const INSPECTED_AT_ONCE = 128;

/**
 * Requests that nobody is at: their worker fell silent, or took them and never said so, or their entry is gone. Asks Redis
 * about those that have waited longer than a lease.
 */
export async function lostJobs(all: Iterable<Active>, nowMs: number, leaseMs: number): Promise<LostJob[]> {
  const lost: LostJob[] = [];
  const waiting = new Map<string, Active[]>(); // by stream
  for (const active of all) {
    const { job } = active;
    if (job.worker !== null) {
      if (nowMs - job.heardMs > leaseMs)
        lost.push({ active, reason: 'its worker fell silent', isLoss: true });
    } else if (
      job.entry !== null &&
      nowMs - job.queuedMs > (isAtHome(active) ? leaseMs * HOME_PATIENCE : leaseMs)
    ) {
      const { stream } = job.entry;
      waiting.set(stream, [...(waiting.get(stream) ?? []), active]);
    }
  }
  for (const [stream, actives] of waiting)
    for (let from = 0; from < actives.length; from += INSPECTED_AT_ONCE)
      lost.push(...(await lostOf(stream, actives.slice(from, from + INSPECTED_AT_ONCE), leaseMs)));
  return lost;
}

function isAtHome({ job, task }: Active): boolean {
  return job.entry !== null && !task.queue.streams.includes(job.entry.stream);
}

async function lostOf(stream: string, actives: readonly Active[], leaseMs: number): Promise<LostJob[]> {
  const entries = actives.map(({ job }) => job.entry!.id);
  const queue: WorkQueue = actives[0]!.task.queue;
  const states = await queue.inspect(stream, entries);
  return actives.flatMap((active, index): LostJob[] => {
    const state = states[index]!;
    const isSame = active.job.worker === null && active.job.entry?.id === entries[index] && !active.job.ended;
    if (!isSame) return [];
    if (state === 'waiting')
      return isAtHome(active)
        ? [{ active, reason: 'the worker meant for it has no room', isLoss: false }]
        : [];
    if (state === 'gone') return [{ active, reason: 'its entry was gone', isLoss: false }];
    return state.takenMsAgo > leaseMs
      ? [{ active, reason: 'a worker took it and said nothing', isLoss: true }]
      : [];
  });
}
