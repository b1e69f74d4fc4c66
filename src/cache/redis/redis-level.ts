import { randomUUID } from 'node:crypto';
import { away } from '../../redis/connection.js';
import type { RedisLink } from '../../redis/link.js';
import { pack, unpack } from '../../redis/packing.js';
import { SharedLog } from '../../redis/shared-log.js';
import type { CacheEntry, LevelStats, LowerLevel, PurgeSelector, Question } from '../types.js';
import { Shelf, type ShelfBounds } from './shelf.js';

/** By the first digit of the key: each is purged in one step, during which Redis does nothing else. */
const SHELVES = 16;

interface Purge {
  by: string;
  selector: PurgeSelector;
}

export interface RedisLevelOptions {
  bounds: ShelfBounds;
  nowMs: () => number; // epoch
}

/** Entries in Redis, shared by all gateways. While Redis is away, there are none. */
export class RedisLevel implements LowerLevel {
  readonly level = 'l2';
  readonly #redis: RedisLink;
  readonly #shelves: Shelf[];
  readonly #id = randomUUID();
  readonly #purges: SharedLog;
  readonly #listeners: ((selector: PurgeSelector) => void)[] = [];
  /** How often a shelf had been purged when its question was asked. */
  readonly #purgesBefore = new WeakMap<Question, number>();
  #isFollowing = false;

  static async open(redis: RedisLink, options: RedisLevelOptions): Promise<RedisLevel> {
    const level = new RedisLevel(redis, options);
    await level.#purges.follow();
    return level;
  }

  private constructor(redis: RedisLink, { bounds, nowMs }: RedisLevelOptions) {
    this.#redis = redis;
    const part = {
      maxEntries: Math.ceil(bounds.maxEntries / SHELVES),
      maxBytes: Math.ceil(bounds.maxBytes / SHELVES),
    };
    this.#shelves = Array.from(
      { length: SHELVES },
      (_, index) => new Shelf(`cache:${index}`, redis, { bounds: part, nowMs, logLength: 0 }),
    );
    this.#purges = new SharedLog('cache', redis, {
      lost: async () => this.#missedPurges(),
      changed: async (entries) => {
        for (const { value } of entries) this.#heardOf(unpack<Purge>(value));
      },
    });
  }

  async find(question: Question): Promise<CacheEntry | null> {
    if (!this.#redis.commands.isUp) return null;
    const { entry, purges } = await this.#shelfOf(question.key).find(question.key);
    this.#purgesBefore.set(question, purges);
    return entry;
  }

  async put(entry: CacheEntry, question: Question): Promise<void> {
    if (!this.#redis.commands.isUp) return;
    await this.#shelfOf(entry.key).put(entry, this.#purgesBefore.get(question) ?? null);
  }

  /** Rejects with store_unavailable while Redis is away: others would go on giving such answers. */
  async purge(selector: PurgeSelector): Promise<number> {
    const shelves = selector.key ? [this.#shelfOf(selector.key)] : this.#shelves;
    try {
      const dropped = await Promise.all(shelves.map((shelf) => shelf.purge(selector)));
      await this.#purges.append(pack({ by: this.#id, selector } satisfies Purge));
      return dropped.reduce((sum, each) => sum + each, 0);
    } catch (error) {
      throw away(error);
    }
  }

  async stats(): Promise<LevelStats> {
    const all = await Promise.all(this.#shelves.map((shelf) => shelf.stats()));
    const sum = (what: keyof LevelStats) => all.reduce((total, each) => total + each[what], 0);
    return { entries: sum('entries'), bytes: sum('bytes') };
  }

  onPurge(listener: (selector: PurgeSelector) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#purges.close();
  }

  #shelfOf(key: string): Shelf {
    return this.#shelves[Number.parseInt(key.slice(0, 1), SHELVES)]!;
  }

  #heardOf({ by, selector }: Purge): void {
    if (by !== this.#id) this.#tell(selector);
  }

  /** Nobody knows which they were, so nothing in memory is to be trusted; at the start nothing is there. */
  #missedPurges(): void {
    if (this.#isFollowing) this.#tell({});
    this.#isFollowing = true;
  }

  #tell(selector: PurgeSelector): void {
    for (const listener of this.#listeners) listener(selector);
  }
}
