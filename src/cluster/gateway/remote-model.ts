import type { ValidatedRequest } from '../../generation/types.js';
import { conversationOf } from '../placement/conversation.js';
import { type OwnRequest, OwnWork } from '../placement/own-work.js';
import { hasRoom, type Placeable, type Placement, place } from '../placement/placement.js';
import { prefixNames } from '../placement/prefix.js';
import type { DeadLetters } from '../queue/dead-letters.js';
import { Sweeper } from '../queue/sweeper.js';
import type { OwnedEntry, WorkQueue } from '../queue/work-queue.js';
import type { ModelDescription, Roster, WorkerState } from '../roster/roster.js';
import { sequencesOf } from '../wire.js';

export interface RemoteModelParts {
  gateway: string;
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
  readonly #gateway: string;
  readonly #own = new OwnWork();
  readonly #sweeper: Sweeper;
  readonly #roster: Roster;

  constructor(
    { gateway, queue, dead, roster, isAbandoned }: RemoteModelParts,
    description: ModelDescription,
  ) {
    this.#gateway = gateway;
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
    this.#own.looked(new Set(states.map(({ id }) => id)));
    this.#workers = states.map((state) => ({
      state,
      prefixes: new Set(state.prefixes),
      own: this.#own.at(state.id),
    }));
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

  /**
   * Where a request goes: to the worker that its conversation is at, as Redis knows; else to the one that holds its longest prefix, or
   * to the stream that all read.
   */
  placementOf(request: ValidatedRequest): Placement {
    const names = prefixNames(request);
    const placed: OwnRequest = { sequences: sequencesOf(request), names, worker: null };
    const worker = place(names, this.#workers, this.#gateway);
    this.#own.move(placed, worker);
    return {
      stream: worker === null ? this.queue.shared(request.priority) : this.queue.home(worker),
      conversation: conversationOf(request),
      homes: this.#workers.filter((each) => hasRoom(each, this.#gateway)).map(({ state }) => state.id),
      queuedIn: (stream) => {
        const home = this.#workers.find(({ state }) => stream === this.queue.home(state.id));
        if (home) this.#own.move(placed, home.state.id);
      },
      moved: (to) => this.#own.move(placed, to),
    };
  }

  /** How long somebody would wait behind so many others; null where nothing is known of how long requests take. */
  estimateMs(waiting: number): number | null {
    const able = this.workers.filter(({ isDraining, serviceMs }) => !isDraining && serviceMs > 0);
    const perMs = able.reduce((sum, { maxSequences, serviceMs }) => sum + maxSequences / serviceMs, 0);
    return perMs === 0 ? null : Math.round(waiting / perMs);
  }

  /** Whether somebody who came now would begin at once. */
  get hasRoom(): boolean {
    return this.waiting === 0 && this.#workers.some((each) => hasRoom(each, this.#gateway));
  }
}
