import type { AnswerCache } from '../cache/answer-cache.js';
import type { Accounting } from '../cost/accounting.js';
import { Tab } from '../cost/tab.js';
import type { Embedder } from '../embedding/index.js';
import type { AnswerObserver, GenerationObserver } from '../generation/observer.js';
import type { GenerationEvent, GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import type { Answer, Guards } from '../guards/guards.js';
import type { Ask } from '../guards/types.js';
import { askModel } from '../routing/ask-model.js';
import type { Errand, Router } from '../routing/router.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import { type Trace, untraced } from '../telemetry/trace.js';
import { Ending, expectedOf } from './metering.js';
import type { ModelRegistry } from './models.js';
import { Settlement } from './settlement.js';

export interface Gateway {
  router: Router;
  cache: AnswerCache;
  models: ModelRegistry;
  metrics: GenerationMetrics;
  accounting: Accounting;
  /** Of this process or of workers; null: none. */
  readonly embedder: Embedder | null;
  guards: Guards;
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
    const settlement = new Settlement((outcome) => trace.stage('settle', () => admission.settle(outcome)));
    admitted = { settlement, tab };
    const answer: Answer = (checked, out, stop, passed) => {
      const plan = trace.stage('resolve', () => gateway.router.resolve(checked));
      watch.resolved(plan.candidates[0]!.deployment.id);
      const errand = { plan, request: checked, tab, sink: out, signal: stop, trace };
      return gateway.cache.answer(errand, (computed, ended) =>
        settlement.charge(() => compute(gateway, { ...errand, sink: computed, signal: ended }, passed)),
      );
    };
    const ask = asking(gateway.router, { request, tab, trace });
    const observed = ending.observe(watch.observe(alsoTo(seen, sink)));
    const model = gateway.router.nameOf(request);
    const visitor = { request, model, sink: observed, signal, report: ending, ask, trace };
    const usage = await gateway.guards.guard(visitor, answer);
    const nanodollars = await settlement.settle(() => ending.finished(tab, usage));
    watch.finished(usage);
    const paid = { ...usage, nanodollars };
    seen?.finished(paid);
    return paid;
  } catch (error) {
    const failed = admitted;
    await failed?.settlement.settle(() => ending.failed(failed.tab, error));
    watch.failed(error);
    throw error;
  }
}

/**
 * An answer by a model, paid by who asked for it first; others may be given it too, so it goes on without them. For each
 * model tried: its dearest outcome reserved on the tab, its queue, its engine or upstream, what it cost. Only what has passed
 * the guards of who asked for it is worth keeping.
 */
async function compute(gateway: Gateway, errand: Errand, passed: () => Promise<boolean>): Promise<Usage> {
  const usage = await gateway.router.answer(errand);
  return (await passed()) ? usage : { ...usage, isBlocked: true };
}

/** Models as guards: each question on the tab of the request that it is about. */
function asking(router: Router, errand: Pick<Errand, 'request' | 'tab' | 'trace'>): Ask {
  let questions = 0;
  return async (model, question, signal) => {
    questions += 1;
    const asked = { ...question, id: `${errand.request.id}/guard-${questions}` };
    return (await askModel(router, model, errand, asked, signal)).text;
  };
}

function alsoTo(observer: AnswerObserver | null, sink: GenerationSink): GenerationSink {
  if (!observer) return sink;
  return (event: GenerationEvent) => {
    observer.event(event);
    sink(event);
  };
}
