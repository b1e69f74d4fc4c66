import type { WorkQueue } from '../queue/work-queue.js';
import type { RedisLink } from '../redis/link.js';

const LOOKED_AT = 128; // entries of each stream, each time

/** Takes out of the queue what nobody will: dead gateways' entries, and copies of entries. Some at a time, round and round. */
export class Sweeper {
  readonly #queue: WorkQueue;
  readonly #redis: RedisLink;
  readonly #after = new Map<string, string>(); // by stream
  #isSweeping = false;

  constructor(queue: WorkQueue, redis: RedisLink) {
    this.#queue = queue;
    this.#redis = redis;
  }

  async sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    try {
      const living = new Map<string, boolean>();
      for (const stream of this.#queue.streams) await this.#sweepStream(stream, living);
    } finally {
      this.#isSweeping = false;
    }
  }

  async #sweepStream(stream: string, living: Map<string, boolean>): Promise<void> {
    const owned = await this.#queue.owners(stream, this.#after.get(stream) ?? '-', LOOKED_AT);
    this.#after.set(stream, owned.length < LOOKED_AT ? '-' : owned.at(-1)!.entry.id);
    for (const { entry, request, gateway, isOver } of owned) {
      if (!living.has(gateway)) living.set(gateway, await this.#lives(gateway));
      if (isOver || !living.get(gateway)) await this.#queue.remove(entry, request);
    }
  }

  async #lives(gateway: string): Promise<boolean> {
    const key = this.#redis.keys.results(gateway);
    return (await this.#redis.commands.send(key, ['EXISTS', key])) === 1;
  }
}
