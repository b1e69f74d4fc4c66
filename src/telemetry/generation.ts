import { Counter, Histogram, type Registry } from 'prom-client';
import { toSluiceError } from '../errors.js';
import type { GenerationEvent, GenerationSink, Usage } from '../generation/types.js';
import { dollars } from '../support/money.js';

const LATENCY_BUCKETS_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60];
const TTFT_BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ITL_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 5];

/** Label of requests that failed before their model was known: client-made names must not become series. */
const UNKNOWN_MODEL = 'unknown';

export class GenerationMetrics {
  readonly requests: Counter<'model' | 'status'>;
  readonly latency: Histogram<'model'>;
  readonly tokens: Counter<'model' | 'direction'>;
  readonly cost: Counter<'model'>;
  readonly timeToFirstToken: Histogram<'model'>;
  readonly interTokenLatency: Histogram<'model'>;
  readonly routed: Counter<'route' | 'variant'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'llm_requests_total',
      help: 'Generation requests by outcome: ok, cancelled, or the code of the error',
      labelNames: ['model', 'status'],
      registers,
    });
    this.latency = new Histogram({
      name: 'llm_request_latency_seconds',
      help: 'Time from a valid request to its last token',
      labelNames: ['model'],
      buckets: LATENCY_BUCKETS_SECONDS,
      registers,
    });
    this.tokens = new Counter({
      name: 'llm_tokens_total',
      help: 'Tokens of finished requests: input (prompt) and output (generated)',
      labelNames: ['model', 'direction'],
      registers,
    });
    this.cost = new Counter({
      name: 'llm_cost_dollars',
      help: "Cost of ended requests, by the models' prices",
      labelNames: ['model'],
      registers,
    });
    this.timeToFirstToken = new Histogram({
      name: 'sluice_time_to_first_token_seconds',
      help: 'Time from a valid request to its first token',
      labelNames: ['model'],
      buckets: TTFT_BUCKETS_SECONDS,
      registers,
    });
    this.interTokenLatency = new Histogram({
      name: 'sluice_inter_token_latency_seconds',
      help: 'Time between tokens of one sequence',
      labelNames: ['model'],
      buckets: ITL_BUCKETS_SECONDS,
      registers,
    });
    this.routed = new Counter({
      name: 'sluice_routed_requests_total',
      help: 'Answers to names that stand for several models, by variant or model',
      labelNames: ['route', 'variant'],
      registers,
    });
  }

  spent(model: string, nanodollars: number): void {
    this.cost.labels(model).inc(dollars(nanodollars));
  }

  start(): GenerationWatch {
    return new GenerationWatch(this);
  }
}

/** Follows one request. Ended exactly once, by finished() or failed(). */
class GenerationWatch {
  readonly #metrics: GenerationMetrics;
  readonly #startedAt = performance.now();
  readonly #lastTokenAt: number[] = []; // by choice
  #model = UNKNOWN_MODEL;
  #cancelled = false;
  #isCached = false; // nothing was computed for it

  constructor(metrics: GenerationMetrics) {
    this.#metrics = metrics;
  }

  resolved(model: string): void {
    this.#model = model;
  }

  observe(sink: GenerationSink): GenerationSink {
    const seriesOf = (model: string) => ({
      firstToken: this.#metrics.timeToFirstToken.labels(model),
      betweenTokens: this.#metrics.interTokenLatency.labels(model),
    });
    let series: ReturnType<typeof seriesOf> | null = null;
    let sawToken = false;
    /** Another model than the plan's first may have answered. */
    const onStart = ({ model, cache }: Extract<GenerationEvent, { type: 'start' }>) => {
      this.#isCached = typeof cache?.level === 'string';
      this.#model = model;
      series = this.#isCached ? null : seriesOf(model);
    };
    const onDelta = (event: Extract<GenerationEvent, { type: 'delta' }>) => {
      if (event.tokens.length === 0 || series === null) return;
      const now = performance.now();
      if (!sawToken) series.firstToken.observe((now - this.#startedAt) / 1000);
      sawToken = true;
      const last = this.#lastTokenAt[event.choice];
      if (last !== undefined) series.betweenTokens.observe((now - last) / 1000 / event.tokens.length);
      this.#lastTokenAt[event.choice] = now;
    };
    return (event) => {
      if (event.type === 'delta') onDelta(event);
      else if (event.type === 'start') onStart(event);
      else if (event.type === 'done' && event.finishReason === 'cancelled') this.#cancelled = true;
      sink(event);
    };
  }

  finished(usage: Usage): void {
    if (usage.route)
      this.#metrics.routed.labels(usage.route.name, usage.route.variant ?? usage.route.model).inc();
    this.#end(this.#cancelled ? 'cancelled' : 'ok');
    this.#metrics.latency.labels(this.#model).observe((performance.now() - this.#startedAt) / 1000);
    if (this.#isCached) return;
    this.#metrics.tokens.labels(this.#model, 'input').inc(usage.promptTokens);
    this.#metrics.tokens.labels(this.#model, 'output').inc(usage.completionTokens);
  }

  failed(error: unknown): void {
    this.#end(toSluiceError(error).code);
  }

  #end(status: string): void {
    this.#metrics.requests.labels(this.#model, status).inc();
  }
}
