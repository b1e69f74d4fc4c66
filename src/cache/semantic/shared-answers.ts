import type { RedisLink } from '../../redis/link.js';
import { LOG_LENGTH, SharedLog } from '../../redis/shared-log.js';
import { openRemote, type Remote } from '../../support/remote.js';
import { Shelf, type ShelfBounds } from '../redis/shelf.js';
import type { CacheEntry, LevelStats, PurgeSelector } from '../types.js';
import type { AskedQuestion } from './asked.js';
import type { IndexChange, SharedIndex } from './shared-index.js';
import type { DoubtfulAnswer, SimilarAnswers } from './similar-answers.js';

const NAME = 'semantic';
/** Questions read from Redis at once. */
const BATCH_ROWS = 128;

export interface SharedAnswersOptions {
  bounds: ShelfBounds;
  nowMs: () => number; // epoch
}

/** The answers alone, for commands; the gateways' indexes follow. */
export function sharedAnswersShelf(redis: RedisLink, options: SharedAnswersOptions): Shelf {
  return new Shelf(NAME, redis, { ...options, logLength: LOG_LENGTH });
}

/**
 * Answers in Redis, shared by all gateways; each has an index of their questions, on a thread of its own. An entry there is
 * answer, question, vector and expiry in one. Its log names the entries that have changed; a gateway reads what has become of them,
 * and all of them when it begins or has missed too much: so every index gets to the state of Redis.
 */
export class SharedAnswers implements SimilarAnswers {
  readonly #redis: RedisLink;
  readonly #options: SharedAnswersOptions;
  readonly #index: Remote<SharedIndex>;
  readonly #shelf: Shelf;
  readonly #log: SharedLog;
  /** How often all had been purged when a question was asked. */
  readonly #purgesBefore = new WeakMap<AskedQuestion, number>();

  static async open(redis: RedisLink, options: SharedAnswersOptions): Promise<SharedAnswers> {
    const errorOf = ({ message }: { message: string }, cause?: unknown) =>
      new Error(`semantic cache: ${message}`, { cause });
    const module = new URL('./shared-index-worker.js', import.meta.url);
    const index = await openRemote<SharedIndex>(module, { data: null, errorOf });
    const answers = new SharedAnswers(redis, index, options);
    await answers.#log.follow();
    return answers;
  }

  private constructor(redis: RedisLink, index: Remote<SharedIndex>, options: SharedAnswersOptions) {
    this.#redis = redis;
    this.#options = options;
    this.#index = index;
    this.#shelf = sharedAnswersShelf(redis, options);
    this.#log = new SharedLog(NAME, redis, {
      lost: () => this.#readAll(),
      changed: (entries) => this.#read(entries.flatMap(({ value }) => value.toString().split(' '))),
    });
  }

  async find(asked: AskedQuestion, minCosine: number): Promise<CacheEntry | null> {
    if (!this.#redis.commands.isUp) return null;
    const [purges, candidates] = await Promise.all([
      this.#shelf.purges(),
      this.#index.find(asked, minCosine, this.#options.nowMs()),
    ]);
    this.#purgesBefore.set(asked, purges);
    for (const { key, cosine } of candidates) {
      const entry = await this.#answerTo(key, cosine);
      if (entry) return entry;
    }
    return null;
  }

  async findDoubtful(asked: AskedQuestion, minCosine: number): Promise<DoubtfulAnswer | null> {
    if (!this.#redis.commands.isUp) return null;
    const candidates = await this.#index.findDoubtful(asked, minCosine, this.#options.nowMs());
    for (const { key, cosine, text } of candidates) {
      const entry = await this.#answerTo(key, cosine);
      if (entry) return { entry, text };
    }
    return null;
  }

  async put(entry: CacheEntry, asked: AskedQuestion): Promise<void> {
    if (!this.#redis.commands.isUp) return;
    const { scope, text, vector } = asked;
    const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    const question = ['scope', scope, 'text', text, 'vector', bytes];
    await this.#shelf.put(entry, this.#purgesBefore.get(asked) ?? null, question);
  }

  purge(selector: PurgeSelector): Promise<number> {
    return this.#shelf.purge(selector);
  }

  stats(): Promise<LevelStats> {
    return this.#shelf.stats();
  }

  /** Of the questions that this gateway knows. */
  knownKeys(): Promise<string[]> {
    return this.#index.keys();
  }

  async close(): Promise<void> {
    this.#log.close();
    await this.#index.close();
  }

  async #answerTo(key: string, cosine: number): Promise<CacheEntry | null> {
    const { entry } = await this.#shelf.find(key);
    if (entry) return { ...entry, similarity: Math.min(1, cosine) };
    await this.#index.apply([{ key, row: null }]);
    return null;
  }

  async #readAll(): Promise<void> {
    const keys = await this.#shelf.keys();
    await this.#index.keepOnly(keys);
    await this.#read(keys);
  }

  async #read(changed: readonly string[]): Promise<void> {
    const keys = [...new Set(changed)];
    for (let from = 0; from < keys.length; from += BATCH_ROWS) {
      const batch = keys.slice(from, from + BATCH_ROWS);
      const rows = await this.#shelf.rows(batch, ['scope', 'text', 'vector']);
      await this.#index.apply(batch.map((key, i) => changeOf(key, rows[i]!)));
    }
  }
}

function changeOf(key: string, found: { expiresAtMs: number; values: Buffer[] } | null): IndexChange {
  if (found === null) return { key, row: null };
  const [scope, text, vector] = found.values;
  const copied = new Float32Array(Uint8Array.from(vector!).buffer); // a reply's bytes needn't be aligned
  const row = { scope: String(scope), text: String(text), vector: copied, expiresAtMs: found.expiresAtMs };
  return { key, row };
}
