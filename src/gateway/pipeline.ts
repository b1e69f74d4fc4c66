import type { AnswerCache } from '../cache/answer-cache.js';
import type { Accounting } from '../cost/accounting.js';
import type { Admission, Outcome } from '../cost/admission.js';
import { Tab } from '../cost/tab.js';
import type { Embedder } from '../embedding/index.js';
import type { AnswerObserver, GenerationObserver } from '../generation/observer.js';
import type { GenerationEvent, GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import type { Errand, Router } from '../routing/router.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import { type Trace, untraced } from '../telemetry/trace.js';
import { Ending, expectedOf } from './metering.js';
import type { ModelRegistry } from './models.js';
import type { PrefixRegistry } from './prefixes.js';

export interface Gateway {
  router: Router;
  cache: AnswerCache;
  models: ModelRegistry;
  prefixes: PrefixRegistry;
  metrics: GenerationMetrics;
  accounting: Accounting;
  /** Null where nothing needs one. */
  embedder: Embedder | null;
  /** Looks at what passes; null: nobody does. */
  observer: GenerationObserver | null;
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
  trace: Trace = untraced,
): Promise<Usage> {
  const watch = gateway.metrics.start();
  const ending = new Ending();
  const seen = gateway.observer?.observe(request) ?? null;
  let admitted = null;
  try {
    const admission = await trace.stage('limits', () => gateway.accounting.admit(expectedOf(request)));
    const tab = new Tab(admission);
    admitted = { admission, tab };
    const plan = trace.stage('resolve', () => gateway.router.resolve(request));
    watch.resolved(plan.candidates[0]!.deployment.id);
    const errand = {
      plan,
      request,
      tab,
      sink: ending.observe(watch.observe(alsoTo(seen, sink))),
      signal,
      trace,
    };
    let usage = await gateway.cache.answer(errand, (out, stop) =>
      compute(gateway, admission, { ...errand, sink: out, signal: stop }),
    );
    const level = usage.cache?.level;
    if (level) usage = { ...usage, nanodollars: await settle(trace, admission, ending.cached(tab, level)) };
    watch.finished(usage);
    seen?.finished(usage);
    return usage;
  } catch (error) {
    await admitted?.admission.settle(ending.failed(admitted.tab, error));
    watch.failed(error);
    throw error;
  }
}

/**
 * An answer by a model, paid by who asked for it first; others may be given it too, so it goes on without them. For each
 * model tried: its dearest outcome reserved on the tab, its queue, its engine or upstream, what it cost.
 */
async function compute(gateway: Gateway, admission: Admission, errand: Errand): Promise<Usage> {
  const { tab, sink, trace } = errand;
  const ending = new Ending();
  try {
    const usage = await gateway.router.answer({ ...errand, sink: ending.observe(sink) });
    return { ...usage, nanodollars: await settle(trace, admission, ending.finished(tab, usage)) };
  } catch (error) {
    await admission.settle(ending.failed(tab, error));
    throw error;
  }
}

function settle(trace: Trace, admission: Admission, outcome: Outcome): Promise<number | null> {
  return trace.stage('settle', () => admission.settle(outcome));
}

function alsoTo(observer: AnswerObserver | null, sink: GenerationSink): GenerationSink {
  if (!observer) return sink;
  return (event: GenerationEvent) => {
    observer.event(event);
    sink(event);
  };
}
