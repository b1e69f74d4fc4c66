import { type EmbedderOptions, ThreadedEmbedder } from '../../src/embedding/index.js';

/** A real embedder of a model file, on the CPU and one thread. */
export function createTestEmbedder(
  modelPath: string,
  options: Partial<EmbedderOptions> = {},
): ThreadedEmbedder {
  return new ThreadedEmbedder({
    modelId: 'tiny-encoder',
    aliases: [],
    modelPath,
    backend: 'cpu',
    threads: 1,
    limits: { maxTexts: 8, maxTokens: 512, targetMs: 1000 },
    maxQueuedTexts: 1000,
    onFault: (error) => {
      throw error;
    },
    ...options,
  });
}
