import { configSchema } from '../src/config/schema.js';
import { ThreadedEmbedder } from '../src/embedding/index.js';
import { createReporter, resolveModel } from '../src/models/index.js';

/** An encoder as the server runs it, on the CPU. */
export async function createEmbedder(model: string): Promise<ThreadedEmbedder> {
  const { path, id } = await resolveModel(model, { reporter: createReporter() });
  const { maxBatchTexts, maxBatchTokens, targetBatchMs, maxQueue, threads } = configSchema.parse(
    {},
  ).embeddings;
  return new ThreadedEmbedder({
    modelId: id,
    aliases: [],
    modelPath: path,
    backend: 'cpu',
    threads,
    limits: { maxTexts: maxBatchTexts, maxTokens: maxBatchTokens, targetMs: targetBatchMs },
    maxQueuedTexts: maxQueue,
    onFault: (error) => {
      throw error;
    },
  });
}
