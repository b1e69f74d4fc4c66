export { cut } from './cut.js';
export { type EmbedderOptions, ThreadedEmbedder } from './embedder.js';
export type { Embedder, EmbeddingModel } from './types.js';
