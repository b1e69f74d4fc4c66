import type { CacheLevel } from '../generation/types.js';
import type { MemoryLevel } from './memory-level.js';
import type { CacheEntry, LevelStats, LowerLevel, PurgeSelector, Question } from './types.js';

export interface Found {
  entry: CacheEntry;
  level: CacheLevel;
}

export interface LevelsOptions {
  memory: MemoryLevel;
  lower: readonly LowerLevel[]; // in the order to be asked
  timeoutMs: number; // of a look-up in a lower level that has none of its own
  nowMs: () => number; // epoch
  onFault: (error: unknown, level: CacheLevel) => void;
  onPurge: () => void;
}

/** Memory and what is below it. Whatever a lower level does, it costs a hit at most. */
export class Levels {
  readonly #options: LevelsOptions;
  #epoch = 0;

  constructor(options: LevelsOptions) {
    this.#options = options;
    for (const level of options.lower) level.onPurge((selector) => this.#purgeMemory(selector));
  }

  /** Another after each purge: what was looked up or computed in one isn't kept in the next. */
  get epoch(): number {
    return this.#epoch;
  }

  inMemory(key: string, willDo: (entry: CacheEntry) => boolean): CacheEntry | null {
    const entry = this.#options.memory.get(key, this.#options.nowMs());
    return entry && willDo(entry) ? entry : null;
  }

  /** What is found goes up into memory, with the time that it has left. */
  async below(question: Question, willDo: (entry: CacheEntry) => boolean): Promise<Found | null> {
    const { lower, memory } = this.#options;
    const epoch = this.#epoch;
    for (const level of lower) {
      const entry = await this.#ask(level, question);
      if (!entry || !willDo(entry)) continue;
      if (epoch === this.#epoch) memory.put(asAnswerTo(question, entry));
      return { entry, level: level.level };
    }
    return null;
  }

  put(entry: CacheEntry, question: Question): void {
    const { memory, lower, onFault } = this.#options;
    memory.put(entry);
    for (const level of lower) level.put(entry, question).catch((error) => onFault(error, level.level));
  }

  /** Resolves when nobody is given such an answer any more, with how many were dropped by level. */
  async purge(selector: PurgeSelector): Promise<Record<string, number>> {
    const dropped: Record<string, number> = { l1: this.#purgeMemory(selector) };
    // The lowest first: others drop from memory when they hear of the purge above it, and nothing may come up after that.
    for (const level of [...this.#options.lower].reverse())
      dropped[level.level] = await level.purge(selector);
    this.#purgeMemory(selector); // what came up meanwhile
    return dropped;
  }

  /** Without levels that can't be asked. */
  async stats(): Promise<Record<string, LevelStats>> {
    const stats: Record<string, LevelStats> = { l1: this.#options.memory.stats() };
    for (const level of this.#options.lower) {
      try {
        stats[level.level] = await level.stats();
      } catch (error) {
        this.#options.onFault(error, level.level);
      }
    }
    return stats;
  }

  #purgeMemory(selector: PurgeSelector): number {
    this.#epoch += 1;
    this.#options.onPurge();
    return this.#options.memory.purge(selector);
  }

  async #ask(level: LowerLevel, question: Question): Promise<CacheEntry | null> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, level.timeoutMs ?? this.#options.timeoutMs, null);
    });
    try {
      return await Promise.race([level.find(question), timeout]);
    } catch (error) {
      this.#options.onFault(error, level.level);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** An answer to a similar question becomes one to this question, and goes when that other one does. */
function asAnswerTo({ key }: Question, entry: CacheEntry): CacheEntry {
  return entry.key === key ? entry : { ...entry, key, firstKey: entry.key };
}
