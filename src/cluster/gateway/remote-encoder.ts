import { cut, type Embedder, type EmbeddingModel } from '../../embedding/index.js';
import type { EncoderDescription, Roster } from '../roster/roster.js';
import type { Calls } from './calls.js';

/** An encoder that workers have. */
export class RemoteEncoder implements Embedder {
  readonly modelId: string;
  readonly names: ReadonlySet<string>;
  readonly createdAtMs = Date.now();
  readonly model: EmbeddingModel;
  readonly #roster: Roster;
  readonly #calls: Calls;
  #workers: string[] = [];

  constructor({ model, aliases }: EncoderDescription, roster: Roster, calls: Calls) {
    this.modelId = model.id;
    this.names = new Set([model.id, ...aliases]);
    this.model = model;
    this.#roster = roster;
    this.#calls = calls;
  }

  async look(): Promise<void> {
    const states = await this.#roster.members();
    this.#workers = states.filter(({ isDraining }) => !isDraining).map(({ id }) => id);
  }

  load(): Promise<EmbeddingModel> {
    return Promise.resolve(this.model);
  }

  tokenize(texts: readonly string[], signal: AbortSignal): Promise<Int32Array[]> {
    return this.#calls.call(() => this.#workers, 'encoderTokens', { texts }, signal);
  }

  embedTokens(texts: readonly Int32Array[], signal: AbortSignal): Promise<Float32Array[]> {
    return this.#calls.call(() => this.#workers, 'vectors', { texts }, signal);
  }

  async embed(
    texts: readonly string[],
    signal: AbortSignal,
    { truncate = false }: { truncate?: boolean } = {},
  ): Promise<Float32Array[]> {
    const tokens = await this.tokenize(texts, signal);
    const { maxTextTokens } = this.model;
    return await this.embedTokens(truncate ? tokens.map((each) => cut(each, maxTextTokens)) : tokens, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
