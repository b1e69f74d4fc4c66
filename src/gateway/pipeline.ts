import type { Router } from '../routing/router.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import type { ModelRegistry } from './models.js';
import type { PrefixRegistry } from './prefixes.js';
import type { GenerationSink, Usage, ValidatedRequest } from './types.js';

export interface Gateway {
  router: Router;
  models: ModelRegistry;
  prefixes: PrefixRegistry;
  metrics: GenerationMetrics;
}

/**
 * The whole way of a request, the same for HTTP and WebSocket, streaming or not. Events go to `sink`; the promise resolves
 * after the last one, or rejects with the SluiceError that ended the request, whether or not events came before.
 */
export async function generate(
  gateway: Gateway,
  request: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
): Promise<Usage> {
  const watch = gateway.metrics.start();
  try {
    const plan = gateway.router.resolve(request);
    watch.resolved(plan.candidates[0]!.deployment.id);
    // Each model tried: its queue, then its engine or upstream.
    const usage = await gateway.router.answer(plan, request, watch.observe(sink), signal);
    watch.finished(usage);
    return usage;
  } catch (error) {
    watch.failed(error);
    throw error;
  }
}
