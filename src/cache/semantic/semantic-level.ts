import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Config } from '../../config/index.js';
import type { Embedder } from '../../embedding/index.js';
import { openRemote, type Remote } from '../../support/remote.js';
import { cacheKey, type KeyScope } from '../key.js';
import type { CacheEntry, LevelStats, LowerLevel, PurgeSelector, Question } from '../types.js';
import { askedOf } from './asked.js';
import { asksTheSame } from './cross-check.js';
import type { AskedQuestion, SemanticDatabase, SimilarEntry } from './database.js';
import { Worth } from './worth.js';

const cleaningMs = 60_000;
const never = new AbortController().signal;

export interface SemanticLevelOptions {
  directory: string; // the data folder
  embedder: Embedder;
  settings: Config['semanticCache'];
  scope: KeyScope;
  nowMs: () => number; // epoch
  onFault: (error: unknown) => void;
}

/**
 * Answers to questions that mean the same: all else of the request must be the same, the vectors of the two questions close,
 * and nothing in their words may show a difference. Off where an answer takes no longer than looking for one.
 */
export class SemanticLevel implements LowerLevel {
  readonly level = 'l3';
  readonly timeoutMs: number;
  readonly #options: SemanticLevelOptions;
  readonly #database: Remote<SemanticDatabase>;
  readonly #cleaning: NodeJS.Timeout;
  /** Made for a look-up, kept for the answer that is computed when it finds none. */
  readonly #asked = new WeakMap<Question, Promise<AskedQuestion | null>>();
  readonly #missedAtMs = new WeakMap<Question, number>();
  readonly #worth = new Worth();
  #purges = 0;

  /** Rejects where the folder can't be used. */
  static async open(options: SemanticLevelOptions): Promise<SemanticLevel> {
    const errorOf = ({ message }: { message: string }, cause?: unknown) =>
      new Error(`semantic cache: ${message}`, { cause });
    const module = new URL('./worker.js', import.meta.url);
    const { directory, embedder, onFault } = options;
    const database = await openRemote<SemanticDatabase>(module, { data: { directory }, errorOf });
    embedder.load().catch(onFault); // now, since the first look-up can't wait for it
    return new SemanticLevel(options, database);
  }

  private constructor(options: SemanticLevelOptions, database: Remote<SemanticDatabase>) {
    this.#options = options;
    this.#database = database;
    this.timeoutMs = options.settings.timeoutMs;
    this.#cleaning = setInterval(() => this.#clean().catch(options.onFault), cleaningMs).unref();
  }

  async find(question: Question): Promise<CacheEntry | null> {
    if (!this.#isAllowed(question) || !this.#isWorthwhile(question)) return null;
    const startedMs = performance.now();
    const asked = this.#ask(question);
    this.#asked.set(question, asked);
    const found = await this.#similar(await asked, question);
    const endedMs = performance.now();
    this.#worth.lookedUp(endedMs - startedMs, endedMs);
    if (!found) this.#missedAtMs.set(question, endedMs);
    return found;
  }

  async put(entry: CacheEntry, question: Question): Promise<void> {
    if (!this.#isAllowed(question)) return;
    this.#noteAnswer(question);
    if (!this.#isWorthwhile(question)) return;
    const purges = this.#purges;
    const asked = await (this.#asked.get(question) ?? this.#ask(question));
    if (!asked || purges !== this.#purges) return;
    const { answer, bytes, similarity: _, ...rest } = entry;
    const { maxEntries, maxBytes } = this.#options.settings;
    const body = serialize({ answer, bytes });
    await this.#database.put({ ...rest, body }, asked, { maxEntries, maxBytes });
  }

  purge(selector: PurgeSelector): Promise<number> {
    this.#purges += 1; // what waits for its vector isn't kept
    return this.#database.purge(selector, this.#options.nowMs());
  }

  stats(): Promise<LevelStats> {
    return this.#database.stats();
  }

  /** A command that purges is seen with the next look-up. */
  onPurge(): void {}

  async close(): Promise<void> {
    clearInterval(this.#cleaning);
    await this.#database.close();
  }

  #isAllowed({ request }: Question): boolean {
    const { byDefault, keys } = this.#options.settings;
    const { keyId } = request.caller;
    return request.cache.similar ?? (byDefault || (keyId !== null && keys.includes(keyId)));
  }

  #isWorthwhile({ model }: Question): boolean {
    return this.#worth.isWorthwhile(model, performance.now());
  }

  #noteAnswer(question: Question): void {
    const missedAtMs = this.#missedAtMs.get(question);
    if (missedAtMs === undefined) return;
    const nowMs = performance.now();
    this.#worth.computed(question.model, nowMs - missedAtMs, nowMs);
  }

  /** Null where there is no one question, or where it is too long for a vector. */
  async #ask({ plan, request }: Question): Promise<AskedQuestion | null> {
    const asked = askedOf(request);
    if (!asked) return null;
    const key = cacheKey(plan, asked.rest, this.#options.scope);
    if (key === null) return null;
    const { embedder } = this.#options;
    const { maxTextTokens } = await embedder.load();
    const [tokens] = await embedder.tokenize([asked.text], never);
    if (tokens!.length > maxTextTokens) return null;
    const [vector] = await embedder.embedTokens([tokens!], never);
    const scope = createHash('sha256').update(`${embedder.modelId} ${key}`).digest('hex');
    return { scope, text: asked.text, vector: vector! };
  }

  async #similar(asked: AskedQuestion | null, question: Question): Promise<CacheEntry | null> {
    const { settings, nowMs } = this.#options;
    if (!asked) return null;
    const found =
      (await this.#database.find(asked, settings.minCosine, nowMs())) ??
      (await this.#checked(asked, question));
    if (!found) return null;
    const { body, ...rest } = found.entry;
    const stored = deserialize(body) as Pick<CacheEntry, 'answer' | 'bytes'>;
    return { ...rest, ...stored, similarity: found.similarity };
  }

  /** What a model takes for the same question though its words differ; null where none is asked. */
  async #checked(asked: AskedQuestion, { ask }: Question): Promise<SimilarEntry | null> {
    const { settings, nowMs } = this.#options;
    const { crossCheckModel: model, crossCheckMinCosine: minCosine } = settings;
    if (model === '') return null;
    const near = await this.#database.findDoubtful(asked, minCosine, nowMs());
    if (!near) return null;
    const isSame = await asksTheSame(
      ask,
      model,
      [near.text, asked.text],
      AbortSignal.timeout(this.timeoutMs),
    );
    return isSame ? near : null;
  }

  async #clean(): Promise<void> {
    while (await this.#database.removeExpired(this.#options.nowMs()));
  }
}
