/** What an encoder is, once it is loaded. */
export interface EmbeddingModel {
  id: string; // what clients call it
  size: number; // numbers of a vector
  maxTextTokens: number;
  vocabSize: number;
}

/** Makes vectors of texts. It is loaded when it is first used. */
export interface Embedder {
  /** What clients call the model. */
  readonly modelId: string;
  /** That, and its aliases. */
  readonly names: ReadonlySet<string>;
  readonly createdAtMs: number;
  /** Null until it is loaded. */
  readonly model: EmbeddingModel | null;
  /** Rejects with model_not_ready, or with what fetching the model fails with. */
  load(): Promise<EmbeddingModel>;
  /** Tokens of each text, with the model's own at its beginning and end. */
  tokenize(texts: readonly string[], signal: AbortSignal): Promise<Int32Array[]>;
  /**
   * A vector of length 1 for each text of tokens, in their order: the dot product of two is their cosine. Rejects with
   * context_length_exceeded, invalid_value, queue_full, cancelled or engine_failed.
   */
  embedTokens(texts: readonly Int32Array[], signal: AbortSignal): Promise<Float32Array[]>;
  /** The same for texts. Those that are too long are refused, or with `truncate` cut at their end. */
  embed(
    texts: readonly string[],
    signal: AbortSignal,
    options?: { truncate?: boolean },
  ): Promise<Float32Array[]>;
  close(): Promise<void>;
}
