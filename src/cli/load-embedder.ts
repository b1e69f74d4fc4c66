import type { Config } from '../config/index.js';
import { type Embedder, ThreadedEmbedder } from '../embedding/index.js';
import { usesGuard } from '../guards/catalog.js';
import { createReporter, resolveModel } from '../models/index.js';
import type { Log } from '../telemetry/log.js';

/** Fetches the encoder if need be; it is loaded when it is first used. Null where nothing needs one. */
export async function createEmbedder(config: Config, log: Log, stop: AbortSignal): Promise<Embedder | null> {
  const { enabled, model, aliases, threads, maxQueue, ...batch } = config.embeddings;
  if (!enabled && !config.semanticCache.enabled && !usesGuard(config.guards, 'similarity')) return null;
  const { id, path } = await resolveModel(model, { reporter: createReporter(), signal: stop });
  return new ThreadedEmbedder({
    modelId: id,
    aliases,
    modelPath: path,
    backend: config.engine.backend,
    threads,
    limits: {
      maxTexts: batch.maxBatchTexts,
      maxTokens: batch.maxBatchTokens,
      targetMs: batch.targetBatchMs,
    },
    maxQueuedTexts: maxQueue,
    onFault: (error) => log.error({ model: id, err: error }, 'embedding thread'),
  });
}
