import type { RedisLink } from '../../redis/link.js';
import { pack } from '../../redis/packing.js';
import type { Batch, WorkerMessage } from '../wire.js';

/** More would be a gateway that Redis has kept from us for minutes. */
const MAX_UNSENT = 100_000; // messages
const RETRY_MS = 100;

/**
 * What a worker has to say to one gateway. All that comes up in one turn of the event loop, as all of an engine's step does,
 * is one entry of the gateway's stream; while one is being written, the next gathers. Order is kept: what fails is written again.
 */
export class Outbox {
  readonly #redis: RedisLink;
  readonly #key: string;
  readonly #worker: string;
  readonly #onGone: () => void;
  #messages: WorkerMessage[] = [];
  #alive: NonNullable<Batch['alive']> | null = null;
  #writing: Promise<void> | null = null;

  /** `onGone`: the gateway is dead, or can't be told any more. */
  constructor(gateway: string, worker: string, redis: RedisLink, onGone: () => void) {
    this.#redis = redis;
    this.#key = redis.keys.results(gateway);
    this.#worker = worker;
    this.#onGone = onGone;
  }

  push(message: WorkerMessage): void {
    this.#messages.push(message);
    if (this.#messages.length > MAX_UNSENT) this.#giveUp();
    else this.#writing ??= this.#write();
  }

  /** What the worker is at, for this gateway. */
  sayAlive(jobs: NonNullable<Batch['alive']>): void {
    this.#alive = jobs;
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was said so far is with Redis, or nobody is there to hear it. */
  async flushed(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#messages.length > 0 || this.#alive !== null) {
      const batch: Batch = { worker: this.#worker, messages: this.#messages };
      if (this.#alive !== null) batch.alive = this.#alive;
      this.#messages = [];
      this.#alive = null;
      await this.#deliver(pack(batch), batch.messages);
    }
    this.#writing = null;
  }

  async #deliver(packed: Buffer, messages: WorkerMessage[]): Promise<void> {
    try {
      const add = ['XADD', this.#key, 'NOMKSTREAM', '*', 'batch', packed];
      if ((await this.#redis.commands.send(this.#key, add)) === null) this.#giveUp();
    } catch {
      // Perhaps it was written: the gateway knows repeats by their numbers. A lost sign of life is followed by another.
      this.#messages = [...messages, ...this.#messages];
      if (this.#messages.length > MAX_UNSENT) this.#giveUp();
      else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #giveUp(): void {
    this.#messages = [];
    this.#onGone();
  }
}
