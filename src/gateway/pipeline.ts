import { refuseModel } from '../auth/index.js';
import type { Accounting } from '../cost/accounting.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import { parsedMessages, plainMessages } from './messages.js';
import { billOf, expectedOf } from './metering.js';
import type { ModelRegistry, ServedModel } from './models.js';
import type { PrefixRegistry } from './prefixes.js';
import { type PreparedRequest, type PrepareLimits, prepare } from './prepare.js';
import { run } from './run.js';
import type { GenerationSink, Usage, ValidatedRequest } from './types.js';
import { UsageMeter } from './usage-meter.js';

export interface Gateway {
  models: ModelRegistry;
  prefixes: PrefixRegistry;
  limits: PrepareLimits;
  metrics: GenerationMetrics;
  accounting: Accounting;
}

/**
 * The whole way of a request, the same for HTTP and WebSocket, streaming or not. Events go to `sink`; the promise resolves
 * after the last one, or rejects with the SluiceError that ended the request, whether or not events came before. When it
 * resolves, what the request has cost is kept.
 */
export async function generate(
  gateway: Gateway,
  request: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
): Promise<Usage> {
  const watch = gateway.metrics.start();
  const meter = new UsageMeter();
  let admission = null;
  try {
    admission = await gateway.accounting.admit(expectedOf(request));
    const model = gateway.models.resolve(request.model);
    watch.resolved(model.id);
    refuseModel(request.caller, request.model, model.id);
    const prepared = await prepare(model, gateway.prefixes, gateway.limits, request);
    admission.reserve(billOf(model, prepared));
    const { warning, trimmed } = prepared;
    sink({ type: 'start', model: model.id, warning, trimmed, quota: admission.quota() });
    const usage = await answer(model, prepared, request, watch.observe(sink), meter, signal);
    const nanodollars = await admission.settle(meter.finished(usage));
    watch.finished(usage);
    return { ...usage, nanodollars };
  } catch (error) {
    await admission?.settle(meter.failed(error));
    watch.failed(error);
    throw error;
  }
}

async function answer(
  model: ServedModel,
  prepared: PreparedRequest,
  request: ValidatedRequest,
  sink: GenerationSink,
  meter: UsageMeter,
  signal: AbortSignal,
): Promise<Usage> {
  if (prepared.messageSyntax === null)
    return await run(model.engine, prepared.requests, meter.observe(sink), signal);
  const messages =
    prepared.messageSyntax === ''
      ? plainMessages(sink)
      : parsedMessages(model.text, prepared.messageSyntax, request.stream, sink);
  try {
    const usage = await run(model.engine, prepared.requests, meter.observe(messages.sink), signal);
    await messages.settled();
    return usage;
  } catch (error) {
    messages.discard();
    throw error;
  }
}
