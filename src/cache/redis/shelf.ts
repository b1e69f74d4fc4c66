import type { Argument } from '../../redis/client.js';
import type { RedisLink } from '../../redis/link.js';
import type { CacheEntry, LevelStats, PurgeSelector } from '../types.js';
import { decode, encode } from './codec.js';
import * as scripts from './shelf-scripts.js';

export interface ShelfBounds {
  maxEntries: number;
  maxBytes: number;
}

export interface ShelfOptions {
  bounds: ShelfBounds;
  nowMs: () => number; // epoch
  /** Of the log that is told of changes; 0: there is none. */
  logLength: number;
}

export interface OnShelf {
  entry: CacheEntry | null;
  /** How often the shelf had been purged. */
  purges: number;
}

const FIELDS = ['stored', 'expires', 'tenant', 'model', 'head', 'body'];

/**
 * Answers in one slot of Redis, bounded in number and bytes. Each change is one function there; lifetimes run by Redis's
 * clock. Keys have no spaces.
 */
export class Shelf {
  readonly #name: string;
  readonly #redis: RedisLink;
  readonly #options: ShelfOptions;
  readonly #keys: string[];

  constructor(name: string, redis: RedisLink, options: ShelfOptions) {
    this.#name = name;
    this.#redis = redis;
    this.#options = options;
    this.#keys = ['used', 'expiry', 'sizes', 'state', 'log'].map((part) => redis.keys.shared(name, part));
  }

  async find(key: string): Promise<OnShelf> {
    const [used, , , state] = this.#keys;
    const keys = [used!, state!, this.#entry(key)];
    const reply = await this.#redis.commands.run(scripts.find, keys, [key, ...FIELDS]);
    const [purges, redisMs, values] = reply as [number, number, Buffer[] | null];
    if (values === null) return { entry: null, purges };
    const [stored, expires, tenant, model, head, body] = values;
    const hereMs = (redisTime: Buffer) => this.#options.nowMs() + Number(redisTime) - redisMs;
    const entry: CacheEntry = {
      key,
      tenant: tenant!.toString(),
      model: model!.toString(),
      promptHead: head!.toString(),
      storedAtMs: hereMs(stored!),
      expiresAtMs: hereMs(expires!),
      similarity: null,
      ...(await decode(body!)),
    };
    return { entry, purges };
  }

  /** `purges`: how often the shelf had been purged when the answer was begun; null: that isn't known. */
  async put(entry: CacheEntry, purges: number | null, further: readonly Argument[] = []): Promise<void> {
    const { key, tenant, model, promptHead, storedAtMs, expiresAtMs } = entry;
    const { bounds, logLength } = this.#options;
    const body = await encode(entry);
    const fields: Argument[] = [
      'tenant',
      tenant,
      'model',
      model,
      'head',
      promptHead,
      'body',
      body,
      ...further,
    ];
    await this.#redis.commands.run(scripts.put, this.#keys, [
      this.#entry(''),
      logLength,
      key,
      Math.round(expiresAtMs - storedAtMs),
      body.length + further.reduce((sum, { length }) => sum + length, 0),
      bounds.maxEntries,
      bounds.maxBytes,
      purges ?? -1,
      ...fields,
    ]);
  }

  async purge({ tenant, model, key = '', promptPrefix = '' }: PurgeSelector): Promise<number> {
    const named = (name: string | undefined) => (name === undefined ? '' : `=${name}`);
    const chosen = [named(tenant), named(model), key, promptPrefix];
    const { logLength } = this.#options;
    const dropped = await this.#redis.commands.run(scripts.purge, this.#keys, [
      this.#entry(''),
      logLength,
      ...chosen,
    ]);
    return dropped as number;
  }

  async stats(): Promise<LevelStats> {
    const args = [this.#entry(''), this.#options.logLength];
    const [entries, bytes] = (await this.#redis.commands.run(scripts.stats, this.#keys, args)) as number[];
    return { entries: entries!, bytes: bytes! };
  }

  /** How often it was purged. */
  async purges(): Promise<number> {
    const state = this.#keys[3]!;
    return Number(await this.#redis.commands.send(state, ['HGET', state, 'purges']));
  }

  async keys(): Promise<string[]> {
    const used = this.#keys[0]!;
    return ((await this.#redis.commands.send(used, ['ZRANGE', used, '0', '-1'])) as Buffer[]).map(String);
  }

  /** Fields of entries, and when they end; null where there is no such entry. */
  async rows(
    keys: readonly string[],
    fields: readonly string[],
  ): Promise<({ expiresAtMs: number; values: Buffer[] } | null)[]> {
    const names = keys.map((key) => this.#entry(key));
    const reply = await this.#redis.commands.run(scripts.rows, names, ['expires', ...fields]);
    const [redisMs, ...found] = reply as [number, ...(Buffer[] | null)[]];
    return found.map((row) => {
      if (row === null) return null;
      const [expires, ...values] = row;
      return { expiresAtMs: this.#options.nowMs() + Number(expires) - redisMs, values };
    });
  }

  #entry(key: string): string {
    return this.#redis.keys.shared(this.#name, `entry:${key}`);
  }
}
