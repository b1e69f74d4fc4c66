import type { GenerationMetrics } from '../telemetry/generation.js';
import { parsedMessages, plainMessages } from './messages.js';
import type { ModelRegistry, ServedModel } from './models.js';
import type { PrefixRegistry } from './prefixes.js';
import { type PreparedRequest, type PrepareLimits, prepare } from './prepare.js';
import { run } from './run.js';
import type { GenerationSink, Usage, ValidatedRequest } from './types.js';

export interface Gateway {
  models: ModelRegistry;
  prefixes: PrefixRegistry;
  limits: PrepareLimits;
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
    const model = gateway.models.resolve(request.model);
    watch.resolved(model.id);
    const prepared = await prepare(model, gateway.prefixes, gateway.limits, request);
    sink({ type: 'start', model: model.id, warning: prepared.warning });
    const usage = await answer(model, prepared, request, watch.observe(sink), signal);
    watch.finished(usage);
    return usage;
  } catch (error) {
    watch.failed(error);
    throw error;
  }
}

async function answer(
  model: ServedModel,
  prepared: PreparedRequest,
  request: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
): Promise<Usage> {
  if (prepared.messageSyntax === null) return await run(model.engine, prepared.requests, sink, signal);
  const messages =
    prepared.messageSyntax === ''
      ? plainMessages(sink)
      : parsedMessages(model.text, prepared.messageSyntax, request.stream, sink);
  try {
    const usage = await run(model.engine, prepared.requests, messages.sink, signal);
    await messages.settled();
    return usage;
  } catch (error) {
    messages.discard();
    throw error;
  }
}
