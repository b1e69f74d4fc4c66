import type { Accounting } from '../cost/accounting.js';
import { Tab } from '../cost/tab.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import type { Guards } from '../guards/guards.js';
import type { Ask } from '../guards/types.js';
import { askModel } from '../routing/ask-model.js';
import type { Router } from '../routing/router.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import { Ending, expectedOf } from './metering.js';
import type { ModelRegistry } from './models.js';
import type { PrefixRegistry } from './prefixes.js';

export interface Gateway {
  router: Router;
  models: ModelRegistry;
  prefixes: PrefixRegistry;
  metrics: GenerationMetrics;
  accounting: Accounting;
  guards: Guards;
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
  const ending = new Ending();
  let admitted = null;
  try {
    const admission = await gateway.accounting.admit(expectedOf(request));
    const tab = new Tab(admission);
    admitted = { admission, tab };
    const answer = (checked: ValidatedRequest, checkedSink: GenerationSink, ended: AbortSignal) => {
      const plan = gateway.router.resolve(checked);
      watch.resolved(plan.candidates[0]!.deployment.id);
      // For each model tried: its dearest outcome reserved on the tab, its queue, its engine or upstream, what it cost.
      return gateway.router.answer({ plan, request: checked, tab, sink: checkedSink, signal: ended });
    };
    const observed = ending.observe(watch.observe(sink));
    const ask = asking(gateway.router, request, tab);
    const visitor = { request, sink: observed, signal, report: ending, ask };
    const usage = await gateway.guards.guard(visitor, answer);
    const nanodollars = await admission.settle(ending.finished(tab, usage));
    watch.finished(usage);
    return { ...usage, nanodollars };
  } catch (error) {
    await admitted?.admission.settle(ending.failed(admitted.tab, error));
    watch.failed(error);
    throw error;
  }
}

/** Models as guards: each question on the tab of the request that it is about. */
function asking(router: Router, request: ValidatedRequest, tab: Tab): Ask {
  let questions = 0;
  return async (model, question, signal) => {
    questions += 1;
    const asked = { ...question, id: `${request.id}/guard-${questions}` };
    return (await askModel(router, model, { request, tab }, asked, signal)).text;
  };
}
