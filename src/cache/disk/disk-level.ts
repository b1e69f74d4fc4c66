import { setTimeout as delay } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { openRemote, type Remote } from '../../support/remote.js';
import { selects } from '../selector.js';
import type { CacheEntry, LevelStats, LowerLevel, PurgeSelector, Question } from '../types.js';
import type { CacheDatabase, DiskBounds, DiskEntry } from './database.js';

const PURGE_WATCH_MS = 250; // how long a command's purge may go unnoticed
const CLEANING_MS = 60_000;
const WRITE_DELAY_MS = 10; // what a killed process loses
const MAX_UNWRITTEN = 1_000; // entries

export interface DiskLevelOptions {
  directory: string;
  bounds: DiskBounds;
  nowMs: () => number; // epoch
  onFault: (error: unknown) => void;
}

/** Entries in the data folder: they outlive the process, and are shared by the processes that use the folder. */
export class DiskLevel implements LowerLevel {
  readonly level = 'l2';
  readonly #database: Remote<CacheDatabase>;
  readonly #options: DiskLevelOptions;
  readonly #timers: NodeJS.Timeout[];
  readonly #listeners: ((selector: PurgeSelector) => void)[] = [];
  readonly #ownPurges = new Set<number>(); // that are still to be heard of
  readonly #unwritten = new Map<string, CacheEntry>();
  #isWriteDue = false;
  #lastPurge: number;

  /** Rejects where the folder can't be used. */
  static async open(options: DiskLevelOptions): Promise<DiskLevel> {
    const { directory } = options;
    const errorOf = ({ message }: { message: string }, cause?: unknown) =>
      new Error(`cache of the data folder: ${message}`, { cause });
    const module = new URL('./worker.js', import.meta.url);
    const database = await openRemote<CacheDatabase>(module, { data: { directory }, errorOf });
    const earlier = await database.purgesSince(0);
    return new DiskLevel(database, options, earlier.at(-1)?.id ?? 0);
  }

  private constructor(database: Remote<CacheDatabase>, options: DiskLevelOptions, lastPurge: number) {
    this.#database = database;
    this.#options = options;
    this.#lastPurge = lastPurge;
    this.#timers = [
      this.#every(PURGE_WATCH_MS, () => this.#hearPurges()),
      this.#every(CLEANING_MS, () => this.#clean()),
    ];
  }

  async find({ key }: Question): Promise<CacheEntry | null> {
    const stored = await this.#database.find(key, this.#options.nowMs());
    if (!stored) return null;
    const { body, ...rest } = stored;
    return { ...rest, ...(deserialize(body) as Pick<CacheEntry, 'answer' | 'bytes'>), similarity: null };
  }

  /**
   * Written soon, with others: to wake the thread costs more than to write. The first of those resolves when they are
   * written. Past a bound an entry isn't kept.
   */
  async put(entry: CacheEntry): Promise<void> {
    if (this.#unwritten.size >= MAX_UNWRITTEN) return;
    this.#unwritten.set(entry.key, entry);
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    await delay(WRITE_DELAY_MS, undefined, { ref: false });
    await this.#write();
  }

  async purge(selector: PurgeSelector): Promise<number> {
    for (const entry of this.#unwritten.values())
      if (selects(selector, entry)) this.#unwritten.delete(entry.key);
    const { id, dropped } = await this.#database.purge(selector, this.#options.nowMs());
    this.#ownPurges.add(id);
    return dropped;
  }

  stats(): Promise<LevelStats> {
    return this.#database.stats();
  }

  onPurge(listener: (selector: PurgeSelector) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#write();
    await this.#database.close();
  }

  async #write(): Promise<void> {
    const entries = [...this.#unwritten.values()];
    this.#unwritten.clear();
    this.#isWriteDue = false;
    if (entries.length > 0) await this.#database.put(entries.map(stored), this.#options.bounds);
  }

  async #hearPurges(): Promise<void> {
    for (const { id, selector } of await this.#database.purgesSince(this.#lastPurge)) {
      this.#lastPurge = id;
      if (this.#ownPurges.delete(id)) continue;
      for (const listener of this.#listeners) listener(selector);
    }
  }

  async #clean(): Promise<void> {
    while (await this.#database.removeExpired(this.#options.nowMs()));
  }

  #every(periodMs: number, action: () => Promise<void>): NodeJS.Timeout {
    return setInterval(() => action().catch(this.#options.onFault), periodMs).unref();
  }
}

function stored({ answer, bytes, similarity: _, ...rest }: CacheEntry): DiskEntry {
  return { ...rest, body: serialize({ answer, bytes }) };
}
