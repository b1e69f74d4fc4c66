import type { RedisLink } from '../../redis/link.js';
import { unpack } from '../../redis/packing.js';
import { script } from '../../redis/script.js';
import type { Batch } from '../wire.js';

/** Keeps the stream while its gateway lives. KEYS: results. ARGV: lease in ms. Returns whether it was still there. */
const renew = script(`
local existed = redis.call('EXISTS', KEYS[1])
if existed == 0 then redis.call('XADD', KEYS[1], '*', 'hello', '1') end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return existed`);

const BLOCK_MS = 1_000;
const RETRY_MS = 100;
const READ_COUNT = 256;
const TRIM_AFTER = 256; // entries

export interface ResultsHandler {
  batch(batch: Batch): void;
  /** What was in the stream is gone, and so may be the queues. */
  lost(): void;
}

/** The stream of what workers have to say to this gateway. It lives as long as its lease is renewed, and is cut as it is read. */
export class Results {
  readonly #redis: RedisLink;
  readonly #key: string;
  readonly #leaseMs: number;
  readonly #handler: ResultsHandler;
  #last = '0-0';
  #untrimmed = 0;
  #isClosed = false;
  #isRenewing = false;
  #renewals: NodeJS.Timeout | undefined;

  constructor(gateway: string, redis: RedisLink, leaseMs: number, handler: ResultsHandler) {
    this.#redis = redis;
    this.#key = redis.keys.results(gateway);
    this.#leaseMs = leaseMs;
    this.#handler = handler;
  }

  async open(): Promise<void> {
    await this.#redis.commands.run(renew, [this.#key], [this.#leaseMs]);
    this.#renewals = setInterval(() => void this.#renew(), this.#leaseMs / 3).unref();
    void this.#readAll();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#renewals);
    await this.#redis.commands.send(this.#key, ['DEL', this.#key]).catch(() => undefined);
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      const existed = await this.#redis.commands.run(renew, [this.#key], [this.#leaseMs]);
      if (existed || this.#isClosed) return;
      this.#last = '0-0';
      this.#handler.lost();
    } catch {
      // Redis is away; the next one may succeed.
    } finally {
      this.#isRenewing = false;
    }
  }

  async #readAll(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#read();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #read(): Promise<void> {
    const blockMs = Math.min(BLOCK_MS, this.#redis.reader.maxBlockMs);
    const block = ['COUNT', String(READ_COUNT), 'BLOCK', String(blockMs)];
    const reply = await this.#redis.reader.send(this.#key, [
      'XREAD',
      ...block,
      'STREAMS',
      this.#key,
      this.#last,
    ]);
    if (reply === null || this.#isClosed) return;
    const [[, entries]] = reply as [[Buffer, [Buffer, Buffer[]][]]];
    for (const [id, [name, value]] of entries) {
      this.#last = id.toString();
      if (name!.toString() === 'batch') this.#handler.batch(unpack<Batch>(value!));
    }
    this.#untrimmed += entries.length;
    if (this.#untrimmed < TRIM_AFTER) return;
    this.#untrimmed = 0;
    await this.#redis.commands.send(this.#key, ['XTRIM', this.#key, 'MINID', this.#last]);
  }
}
