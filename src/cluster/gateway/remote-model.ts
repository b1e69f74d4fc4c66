import type { ValidatedRequest } from '../../generation/types.js';
import { type Placeable, place } from '../placement/placement.js';
import { prefixNames } from '../placement/prefix.js';
import type { DeadLetters } from '../queue/dead-letters.js';
import { Sweeper } from '../queue/sweeper.js';
import type { OwnedEntry, WorkQueue } from '../queue/work-queue.js';
import type { ModelDescription, Roster, WorkerState } from '../roster/roster.js';

export interface RemoteModelParts {
  queue: WorkQueue;
  dead: DeadLetters;
  roster: Roster;
  isAbandoned(owned: OwnedEntry): boolean;
}

/** What a gateway knows of a model and its workers, as of the last look. */
export class RemoteModel {
  readonly queue: WorkQueue;
  readonly dead: DeadLetters;
  description: ModelDescription;
  #workers: Placeable[] = [];
  waiting = 0;
  open = 0; // requests that wait or run
  readonly #sweeper: Sweeper;
  readonly #roster: Roster;

  constructor({ queue, dead, roster, isAbandoned }: RemoteModelParts, description: ModelDescription) {
    this.#sweeper = new Sweeper(queue, isAbandoned);
    this.queue = queue;
    this.dead = dead;
    this.#roster = roster;
    this.description = description;
  }

  async look(): Promise<void> {
    const [states, waiting, open] = await Promise.all([
      this.#roster.members(),
      this.queue.waiting(),
      this.queue.open(),
    ]);
    this.#workers = states.map((state) => ({ state, prefixes: new Set(state.prefixes), given: 0 }));
    this.waiting = waiting;
    this.open = open;
    await this.#sweeper.sweep([...this.queue.streams, ...states.map(({ id }) => this.queue.home(id))]);
  }

  get workers(): WorkerState[] {
    return this.#workers.map(({ state }) => state);
  }

  /** Workers that may be called. */
  get callable(): string[] {
    return this.workers.filter(({ isDraining }) => !isDraining).map(({ id }) => id);
  }

  /** The stream that a request goes to: that of the worker that holds its longest prefix, or the one all read. */
  streamFor(request: ValidatedRequest): string {
    const worker = place(prefixNames(request), this.#workers);
    if (worker === null) return this.queue.shared(request.priority);
    this.#workers.find(({ state }) => state.id === worker)!.given += 1;
    return this.queue.home(worker);
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
