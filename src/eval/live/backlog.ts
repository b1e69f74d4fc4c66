import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Work that is done one piece at a time, each in a turn of its own: the answer that it is about goes out first. Where more comes than can be done the newest is turned away, so
 * that the backlog, and what it costs, is bounded.
 */
export class Backlog<Item> {
  readonly #max: number;
  readonly #work: (item: Item) => Promise<void>;
  readonly #waiting: Item[] = [];
  #running: Promise<void> | null = null;
  #inWork = 0; // 0 or 1
  #isClosed = false;

  /** `work` must not reject. */
  constructor(max: number, work: (item: Item) => Promise<void>) {
    this.#max = max;
    this.#work = work;
  }

  /** What waits, and what is being worked on. */
  get size(): number {
    return this.#waiting.length + this.#inWork;
  }

  /** False where it was turned away. */
  offer(item: Item): boolean {
    if (this.#isClosed || this.#waiting.length >= this.#max) return false;
    this.#waiting.push(item);
    this.#running ??= this.#run();
    return true;
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** Drops what waits, and waits for what runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.length = 0;
    await this.idle();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await nextTurn();
      const item = this.#waiting.shift();
      if (item === undefined) continue;
      this.#inWork = 1;
      await this.#work(item);
      this.#inWork = 0;
    }
    this.#running = null;
  }
}
