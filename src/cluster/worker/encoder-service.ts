import type { Embedder } from '../../embedding/index.js';
import type { RedisLink } from '../../redis/link.js';
import { Roster, type WorkerState } from '../roster/roster.js';
import type { Procedures } from '../wire.js';

export interface EncoderServiceOptions {
  worker: string; // id
  aliases: string[];
  leaseMs: number;
}

/** A worker's encoder: gateways learn of it by its heartbeats, and call it. */
export class EncoderService {
  readonly procedures: Pick<Procedures, 'encoderTokens' | 'vectors'>;
  readonly #embedder: Embedder;
  readonly #roster: Roster;
  readonly #options: EncoderServiceOptions;
  #heartbeat: NodeJS.Timeout | undefined;
  #isDraining = false;
  #running = 0; // texts

  constructor(embedder: Embedder, redis: RedisLink, options: EncoderServiceOptions) {
    this.#embedder = embedder;
    this.#roster = new Roster(embedder.modelId, redis);
    this.#options = options;
    this.procedures = {
      encoderTokens: ({ texts }, signal) => embedder.tokenize(texts, signal),
      vectors: ({ texts }, signal) => this.#vectors(texts, signal),
    };
  }

  /** Loads it, and says that it is there. */
  async open(): Promise<void> {
    await this.#embedder.load();
    await this.#announce();
    this.#heartbeat = setInterval(() => void this.#announce(), this.#options.leaseMs / 3);
  }

  /** Gateways call others from now on. */
  drain(): void {
    this.#isDraining = true;
    void this.#announce();
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#roster.leave(this.#options.worker).catch(() => undefined);
  }

  async #vectors(texts: readonly Int32Array[], signal: AbortSignal): Promise<Float32Array[]> {
    this.#running += texts.length;
    try {
      return await this.#embedder.embedTokens(texts, signal);
    } finally {
      this.#running -= texts.length;
    }
  }

  async #announce(): Promise<void> {
    const { worker, aliases, leaseMs } = this.#options;
    const model = await this.#embedder.load();
    const state: WorkerState = {
      id: worker,
      revision: model.id,
      maxSequences: 0,
      running: this.#running,
      runningFor: {},
      pageUse: 0,
      serviceMs: 0,
      isDraining: this.#isDraining,
      prefixes: new Uint32Array(),
    };
    // While Redis is away, the next heartbeat may arrive.
    await this.#roster.announce(state, leaseMs, { kind: 'encoder', aliases, model }).catch(() => undefined);
  }
}
