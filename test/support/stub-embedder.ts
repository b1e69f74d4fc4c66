import type { Embedder, EmbeddingModel } from '../../src/embedding/index.js';

const size = 8;

/** Every text has nearly the same vector: what tells questions apart is then up to the words. */
export class StubEmbedder implements Embedder {
  readonly modelId = 'stub-encoder';
  readonly names = new Set(['stub-encoder']);
  readonly createdAtMs = 0;
  readonly model: EmbeddingModel = { id: this.modelId, size, maxTextTokens: 100, vocabSize: 256 };
  /** Texts that vectors were made of. */
  embedded = 0;

  load(): Promise<EmbeddingModel> {
    return Promise.resolve(this.model);
  }

  tokenize(texts: readonly string[]): Promise<Int32Array[]> {
    return Promise.resolve(texts.map((text) => Int32Array.from(Buffer.from(text))));
  }

  embedTokens(texts: readonly Int32Array[]): Promise<Float32Array[]> {
    this.embedded += texts.length;
    return Promise.resolve(texts.map(vectorOf));
  }

  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    return this.embedTokens(await this.tokenize(texts));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Of length 1; the second number, small, depends on the text. */
function vectorOf(tokens: Int32Array): Float32Array {
  const angle = (tokens.reduce((sum, token) => sum + token, 0) % 100) / 1000;
  const vector = new Float32Array(size);
  vector[0] = Math.cos(angle);
  vector[1] = Math.sin(angle);
  return vector;
}
