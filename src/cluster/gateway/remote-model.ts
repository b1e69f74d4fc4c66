import type { DeadLetters } from '../queue/dead-letters.js';
import type { WorkQueue } from '../queue/work-queue.js';
import type { ModelDescription, Roster, WorkerState } from '../roster/roster.js';

export interface RemoteModelParts {
  queue: WorkQueue;
  dead: DeadLetters;
  roster: Roster;
}

/** What a gateway knows of a model and its workers, as of the last look. */
export class RemoteModel {
  readonly queue: WorkQueue;
  readonly dead: DeadLetters;
  description: ModelDescription;
  workers: readonly WorkerState[] = [];
  waiting = 0;
  readonly #roster: Roster;

  constructor({ queue, dead, roster }: RemoteModelParts, description: ModelDescription) {
    this.queue = queue;
    this.dead = dead;
    this.#roster = roster;
    this.description = description;
  }

  async look(): Promise<void> {
    [this.workers, this.waiting] = await Promise.all([this.#roster.members(), this.queue.waiting()]);
  }

  /** How long somebody would wait behind so many others; null where nothing is known of how long requests take. */
  estimateMs(waiting: number): number | null {
    const able = this.workers.filter(({ isDraining, serviceMs }) => !isDraining && serviceMs > 0);
    const perMs = able.reduce((sum, { maxSequences, serviceMs }) => sum + maxSequences / serviceMs, 0);
    return perMs === 0 ? null : Math.round(waiting / perMs);
  }

  /** Whether somebody who came now would begin at once. */
  get hasRoom(): boolean {
    return (
      this.waiting === 0 && this.workers.some((each) => !each.isDraining && each.running < each.maxSequences)
    );
  }
}
