import type { RedisLink } from '../../redis/link.js';
import { unpack } from '../../redis/packing.js';
import type { LedgerEntry } from '../../store/types.js';
import * as scripts from './scripts.js';

export interface ReplicaOptions {
  redis: RedisLink;
  shards: number;
  reader: string;
  positions: ReadonlyMap<number, string>;
  /** After so long without a sign of it, what a reader hasn't read isn't kept for it any more. */
  silenceMs: number;
  store: { appendHandedOff(shard: number, position: string, entries: LedgerEntry[]): Promise<void> };
  onSeen: (id: string) => void;
  /** All that was in the shared ledger at this moment (monotonic) has been read; `wasAway`: the time before it couldn't be. */
  onRead: (startedAtMs: number, wasAway: boolean) => Promise<void>;
  onFault: (error: unknown) => void;
}

/** Entries of one transaction. */
const PAGE = 1_000;
const POLL_MS = 100;
const SIGN_OF_LIFE_MS = scripts.TRIM_AFTER_MS / 2;

type StreamEntry = [Buffer, [Buffer, Buffer]];

/**
 * The ledger of the whole cluster in this gateway's store: whatever any gateway adds to the shared ledger is read from Redis,
 * kept together with the position up to which it was read, and then given free.
 */
export class LedgerReplica {
  readonly #options: ReplicaOptions;
  readonly #positions: string[];
  readonly #saidAtMs: number[]; // monotonic, by shard: when Redis last heard the position
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #isClosed = false;
  #written = 0;
  #wasAway = false;

  constructor(options: ReplicaOptions) {
    const { shards, positions } = options;
    this.#options = options;
    this.#positions = Array.from({ length: shards }, (_, shard) => positions.get(shard) ?? '0-0');
    this.#saidAtMs = Array(shards).fill(Number.NEGATIVE_INFINITY);
  }

  /** Entries kept so far. */
  get written(): number {
    return this.#written;
  }

  start(): void {
    const look = async () => {
      await this.catchUp().catch(this.#options.onFault);
      if (!this.#isClosed) this.#timer = setTimeout(look, POLL_MS).unref();
    };
    this.#timer = setTimeout(look, 0).unref();
  }

  /** Resolves when everything that was in the shared ledger before the call is in the store. */
  async catchUp(): Promise<void> {
    await this.#running?.catch(() => undefined); // it may have begun before
    this.#running ??= this.#read().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.catchUp().catch(() => undefined);
  }

  async #read(): Promise<void> {
    const startedAtMs = performance.now();
    const wasAway = this.#wasAway;
    this.#wasAway = true; // unless all goes well
    for (const shard of this.#positions.keys()) while (await this.#readPage(shard));
    await this.#options.onRead(startedAtMs, wasAway);
    this.#wasAway = false;
  }

  /** True where there may be more. */
  async #readPage(shard: number): Promise<boolean> {
    const { redis, store, onSeen } = this.#options;
    const key = redis.keys.accounts(shard, 'ledger');
    const from = `(${this.#positions[shard]}`;
    const page = (await redis.commands.send(key, [
      'XRANGE',
      key,
      from,
      '+',
      'COUNT',
      String(PAGE),
    ])) as StreamEntry[];
    if (page.length > 0) {
      const entries = page.map(([, [, packed]]) => unpack<LedgerEntry>(packed));
      const position = String(page.at(-1)![0]);
      await store.appendHandedOff(shard, position, entries);
      this.#positions[shard] = position;
      this.#written += entries.length;
      for (const { id } of entries) onSeen(id);
    }
    if (page.length > 0 || performance.now() - this.#saidAtMs[shard]! > SIGN_OF_LIFE_MS)
      await this.#acknowledge(shard);
    return page.length === PAGE;
  }

  async #acknowledge(shard: number): Promise<void> {
    const { redis, reader, silenceMs } = this.#options;
    const keys = ['ledger', 'readers', 'heard'].map((part) => redis.keys.accounts(shard, part));
    await redis.commands.run(scripts.acknowledge, keys, [reader, this.#positions[shard]!, silenceMs]);
    this.#saidAtMs[shard] = performance.now();
  }
}
