import type { GuardUse } from '../../config/index.js';
import type { Embedder } from '../../embedding/index.js';
import type { DetectorFinding } from '../detector.js';
import type { GuardContext, GuardText } from '../types.js';
import type { Embed } from './neighbours.js';
import { similarityOptions } from './options.js';
import { type Look, prepare } from './tasks.js';

/** Texts compared with others by the vectors of the server's encoder. */
export class SimilarityGuard {
  readonly #use: GuardUse;
  readonly #embed: Embed;
  #preparing: Promise<Look> | null = null;

  constructor(use: GuardUse, embedder: Embedder | null) {
    this.#use = use;
    this.#embed = async (texts, signal) => {
      if (!embedder) throw new Error('there is no embedding model');
      return texts.length === 0 ? [] : await embedder.embed(texts, signal, { truncate: true });
    };
  }

  /** Resolves when checks needn't wait for what texts are compared with. */
  async ready(): Promise<void> {
    await this.#look();
  }

  /** Rejects as {@link Embedder.embed} does. */
  async check(
    texts: readonly GuardText[],
    context: GuardContext,
    signal: AbortSignal,
  ): Promise<DetectorFinding[][]> {
    const look = await this.#look();
    return await Promise.all(texts.map(({ text }) => look(text, context, signal)));
  }

  /** Not one request's, so none of them ends it. */
  #look(): Promise<Look> {
    const { signal } = new AbortController();
    this.#preparing ??= prepare(similarityOptions(this.#use), this.#embed, signal).catch((error: unknown) => {
      this.#preparing = null; // the next use tries again
      throw error;
    });
    return this.#preparing;
  }
}
