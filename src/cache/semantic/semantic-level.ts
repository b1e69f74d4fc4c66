import { createHash } from 'node:crypto';
import type { Config } from '../../config/index.js';
import type { Embedder } from '../../embedding/index.js';
import { cacheKey, type KeyScope } from '../key.js';
import type { CacheEntry, LevelStats, LowerLevel, PurgeSelector, Question } from '../types.js';
import { type AskedQuestion, askedOf } from './asked.js';
import { asksTheSame } from './cross-check.js';
import type { SimilarAnswers } from './similar-answers.js';
import { Worth } from './worth.js';

const never = new AbortController().signal;

export interface SemanticLevelOptions {
  answers: SimilarAnswers; // closed with the level
  embedder: Embedder;
  settings: Config['semanticCache'];
  scope: KeyScope;
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
  /** Made for a look-up, kept for the answer that is computed when it finds none. */
  readonly #asked = new WeakMap<Question, Promise<AskedQuestion | null>>();
  readonly #missedAtMs = new WeakMap<Question, number>();
  readonly #worth = new Worth();
  #purges = 0;

  constructor(options: SemanticLevelOptions) {
    this.#options = options;
    this.timeoutMs = options.settings.timeoutMs;
    options.embedder.load().catch(options.onFault); // now, since the first look-up can't wait for it
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
    await this.#options.answers.put(entry, asked);
  }

  purge(selector: PurgeSelector): Promise<number> {
    this.#purges += 1; // what waits for its vector isn't kept
    return this.#options.answers.purge(selector);
  }

  stats(): Promise<LevelStats> {
    return this.#options.answers.stats();
  }

  /** What others purge is not found any more; memory hears of it from the level above. */
  onPurge(): void {}

  close(): Promise<void> {
    return this.#options.answers.close();
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
    if (!asked) return null;
    const { answers, settings } = this.#options;
    return (await answers.find(asked, settings.minCosine)) ?? (await this.#checked(asked, question));
  }

  /** What a model takes for the same question though its words differ; null where none is asked. */
  async #checked(asked: AskedQuestion, { ask }: Question): Promise<CacheEntry | null> {
    const { answers, settings } = this.#options;
    const { crossCheckModel: model, crossCheckMinCosine: minCosine } = settings;
    if (model === '') return null;
    const near = await answers.findDoubtful(asked, minCosine);
    if (!near) return null;
    const signal = AbortSignal.timeout(this.timeoutMs);
    return (await asksTheSame(ask, model, [near.text, asked.text], signal)) ? near.entry : null;
  }
}
