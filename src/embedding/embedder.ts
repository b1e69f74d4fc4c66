import { SluiceError, shuttingDown } from '../errors.js';
import type { Backend } from '../native/index.js';
import type { BatchLimits } from './batch-queue.js';
import { cut } from './cut.js';
import type { Embedder, EmbeddingModel } from './types.js';
import { WorkerLink } from './worker-link.js';

export interface EmbedderOptions {
  modelId: string;
  aliases: readonly string[];
  modelPath: string;
  backend: Backend;
  threads: number; // 0: half of the cores
  limits: BatchLimits;
  maxQueuedTexts: number;
  onFault: (error: Error) => void;
}

const retryAfterSeconds = 1;

/** An encoder in a thread of its own, which starts with the first use, and again with the next one after it has died. */
export class ThreadedEmbedder implements Embedder {
  readonly modelId: string;
  readonly names: ReadonlySet<string>;
  readonly createdAtMs = Date.now();
  readonly #options: EmbedderOptions;
  #isClosed = false;
  #loading: Promise<WorkerLink> | null = null;
  #model: EmbeddingModel | null = null;
  #queuedTexts = 0;

  constructor(options: EmbedderOptions) {
    this.modelId = options.modelId;
    this.names = new Set([options.modelId, ...options.aliases]);
    this.#options = options;
  }

  get model(): EmbeddingModel | null {
    return this.#model;
  }

  async load(): Promise<EmbeddingModel> {
    const { model } = await this.#link();
    this.#model ??= { id: this.modelId, ...model };
    return this.#model;
  }

  async tokenize(texts: readonly string[], signal: AbortSignal): Promise<Int32Array[]> {
    const link = await this.#link();
    return await this.#queued(texts.length, () => link.tokenize(texts, signal));
  }

  async embedTokens(texts: readonly Int32Array[], signal: AbortSignal): Promise<Float32Array[]> {
    const link = await this.#link();
    for (const [index, tokens] of texts.entries()) check(tokens, index, await this.load());
    return await this.#queued(texts.length, () => link.embed(texts, signal));
  }

  async embed(
    texts: readonly string[],
    signal: AbortSignal,
    { truncate = false }: { truncate?: boolean } = {},
  ): Promise<Float32Array[]> {
    const { maxTextTokens } = await this.load();
    const tokens = await this.tokenize(texts, signal);
    return await this.embedTokens(truncate ? tokens.map((each) => cut(each, maxTextTokens)) : tokens, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const link = await this.#loading?.catch(() => null);
    await link?.close();
  }

  #link(): Promise<WorkerLink> {
    if (this.#isClosed) return Promise.reject(shuttingDown());
    this.#loading ??= this.#start().catch((error: unknown) => {
      this.#loading = null; // the next use tries again
      throw error;
    });
    return this.#loading;
  }

  #start(): Promise<WorkerLink> {
    const { modelPath, backend, threads, limits, onFault } = this.#options;
    return WorkerLink.start({ modelPath, backend, threads, limits }, onFault, () => {
      this.#loading = null;
    });
  }

  async #queued<T>(texts: number, run: () => Promise<T>): Promise<T> {
    if (this.#queuedTexts + texts > this.#options.maxQueuedTexts) {
      throw new SluiceError('queue_full', `${this.#queuedTexts} texts wait to be embedded.`, {
        retryAfterSeconds,
      });
    }
    this.#queuedTexts += texts;
    try {
      return await run();
    } finally {
      this.#queuedTexts -= texts;
    }
  }
}

function check(tokens: Int32Array, index: number, { maxTextTokens, vocabSize }: EmbeddingModel): void {
  const param = `input.${index}`;
  if (tokens.length === 0) throw new SluiceError('invalid_value', 'A text has no tokens.', { param });
  if (tokens.length > maxTextTokens) {
    const message = `Text ${index} has ${tokens.length} tokens; at most ${maxTextTokens} fit.`;
    throw new SluiceError('context_length_exceeded', message, { param });
  }
  if (tokens.some((token) => token < 0 || token >= vocabSize))
    throw new SluiceError('invalid_value', `Token ids are 0 to ${vocabSize - 1}.`, { param });
}
