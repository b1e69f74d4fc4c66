import type { OwnedEntry, WorkQueue } from './work-queue.js';

const LOOKED_AT = 128; // entries of each stream, each time

/**
 * Takes out of a queue what nobody will, some entries at a time, round and round. Redis may have done what it never
 * acknowledged: an entry that its gateway took for refused, or a worker never heard of.
 */
export class Sweeper {
  readonly #queue: WorkQueue;
  readonly #isAbandoned: (owned: OwnedEntry) => boolean | Promise<boolean>;
  readonly #after = new Map<string, string>(); // by stream
  #isSweeping = false;

  constructor(queue: WorkQueue, isAbandoned: (owned: OwnedEntry) => boolean | Promise<boolean>) {
    this.#queue = queue;
    this.#isAbandoned = isAbandoned;
  }

  async sweep(streams: readonly string[]): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    try {
      for (const stream of streams) await this.#sweepStream(stream);
    } finally {
      this.#isSweeping = false;
    }
  }

  async #sweepStream(stream: string): Promise<void> {
    const all = await this.#queue.owners(stream, this.#after.get(stream) ?? '-', LOOKED_AT);
    this.#after.set(stream, all.length < LOOKED_AT ? '-' : all.at(-1)!.entry.id);
    for (const owned of all)
      if (await this.#isAbandoned(owned)) await this.#queue.remove(owned.entry, owned.request);
  }
}
