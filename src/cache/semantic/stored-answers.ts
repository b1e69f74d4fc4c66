import { deserialize, serialize } from 'node:v8';
import { openRemote, type Remote } from '../../support/remote.js';
import type { DiskBounds } from '../disk/database.js';
import type { CacheEntry, LevelStats, PurgeSelector } from '../types.js';
import type { AskedQuestion } from './asked.js';
import type { SemanticDatabase, SimilarEntry } from './database.js';
import type { DoubtfulAnswer, SimilarAnswers } from './similar-answers.js';

const CLEANING_MS = 60_000;

export interface StoredAnswersOptions {
  directory: string; // the data folder
  bounds: DiskBounds;
  nowMs: () => number; // epoch
  onFault: (error: unknown) => void;
}

/** Answers in the data folder, on a thread of their own. */
export class StoredAnswers implements SimilarAnswers {
  readonly #database: Remote<SemanticDatabase>;
  readonly #options: StoredAnswersOptions;
  readonly #cleaning: NodeJS.Timeout;

  /** Rejects where the folder can't be used. */
  static async open(options: StoredAnswersOptions): Promise<StoredAnswers> {
    const errorOf = ({ message }: { message: string }, cause?: unknown) =>
      new Error(`semantic cache: ${message}`, { cause });
    const module = new URL('./worker.js', import.meta.url);
    const data = { directory: options.directory };
    return new StoredAnswers(await openRemote<SemanticDatabase>(module, { data, errorOf }), options);
  }

  private constructor(database: Remote<SemanticDatabase>, options: StoredAnswersOptions) {
    this.#database = database;
    this.#options = options;
    this.#cleaning = setInterval(() => this.#clean().catch(options.onFault), CLEANING_MS).unref();
  }

  async find(asked: AskedQuestion, minCosine: number): Promise<CacheEntry | null> {
    const found = await this.#database.find(asked, minCosine, this.#options.nowMs());
    return found && entryOf(found);
  }

  async findDoubtful(asked: AskedQuestion, minCosine: number): Promise<DoubtfulAnswer | null> {
    const found = await this.#database.findDoubtful(asked, minCosine, this.#options.nowMs());
    return found && { entry: entryOf(found), text: found.text };
  }

  put({ answer, bytes, similarity: _, ...rest }: CacheEntry, asked: AskedQuestion): Promise<void> {
    const body = serialize({ answer, bytes });
    return this.#database.put({ ...rest, body }, asked, this.#options.bounds);
  }

  purge(selector: PurgeSelector): Promise<number> {
    return this.#database.purge(selector, this.#options.nowMs());
  }

  stats(): Promise<LevelStats> {
    return this.#database.stats();
  }

  async close(): Promise<void> {
    clearInterval(this.#cleaning);
    await this.#database.close();
  }

  async #clean(): Promise<void> {
    while (await this.#database.removeExpired(this.#options.nowMs()));
  }
}

function entryOf({ entry: { body, ...rest }, similarity }: SimilarEntry): CacheEntry {
  const stored = deserialize(body) as Pick<CacheEntry, 'answer' | 'bytes'>;
  return { ...rest, ...stored, similarity };
}
