import type { TokenBound } from '../../cost/tab.js';
import type { GenerationEvent, GenerationSink } from '../../generation/types.js';

/**
 * Keeps a worker's events back while what they may take, counted by the worker, is being reserved: what is refused then must
 * not have been sent, since it isn't paid for.
 */
export class ReservationGate {
  readonly #sink: GenerationSink;
  readonly #reserve: (bound: TokenBound) => void | Promise<void>;
  readonly #refused = new AbortController();
  #deciding: Promise<void> = Promise.resolve();
  #undecided = 0;
  #held: GenerationEvent[] = [];
  #isClosed = false;

  constructor(sink: GenerationSink, reserve: (bound: TokenBound) => void | Promise<void>) {
    this.#sink = sink;
    this.#reserve = reserve;
  }

  /** Aborts where the reservation is refused: nobody needs the answer. */
  get refused(): AbortSignal {
    return this.#refused.signal;
  }

  /** Throws what a reservation is refused with at once. */
  counted(bound: TokenBound): void {
    const reserving = this.#reserve(bound);
    if (!reserving) return;
    this.#undecided += 1;
    this.#deciding = this.#deciding.then(() => reserving).then(() => this.#decided());
    this.#deciding.catch(() => this.#refused.abort());
  }

  event(event: GenerationEvent): void {
    if (this.#undecided > 0) this.#held.push(event);
    else if (!this.#isClosed) this.#sink(event);
  }

  /** Resolves when nothing is held back any more; rejects with what the reservation was refused with. */
  settled(): Promise<void> {
    return this.#deciding;
  }

  /** No event comes after this. */
  close(): void {
    this.#isClosed = true;
  }

  #decided(): void {
    this.#undecided -= 1;
    if (this.#undecided > 0) return;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.event(event);
  }
}
