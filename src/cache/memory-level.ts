import { LRUCache } from 'lru-cache';
import { selects } from './selector.js';
import type { CacheEntry, LevelStats, PurgeSelector } from './types.js';

/** Entries in this process; beyond either bound, those go that weren't asked for longest. */
export class MemoryLevel {
  readonly #entries: LRUCache<string, CacheEntry>;

  constructor({ maxEntries, maxBytes }: { maxEntries: number; maxBytes: number }) {
    this.#entries = new LRUCache({ max: maxEntries, maxSize: Math.max(1, maxBytes) });
  }

  get(key: string, nowMs: number): CacheEntry | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    if (entry.expiresAtMs > nowMs) return entry;
    this.#entries.delete(key);
    return null;
  }

  /** What is larger than all of memory isn't kept. */
  put(entry: CacheEntry): void {
    this.#entries.set(entry.key, entry, { size: Math.max(1, entry.bytes) });
  }

  /** O(entries), unless it is one key. */
  purge(selector: PurgeSelector): number {
    const doomed = [...this.#entries.values()].filter((entry) => selects(selector, entry));
    for (const { key } of doomed) this.#entries.delete(key);
    return doomed.length;
  }

  stats(): LevelStats {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize };
  }
}
