import type { Caller } from '../../auth/caller.js';
import type { EvaluationConfig } from '../../config/index.js';
import type { AnswerObserver, GenerationObserver } from '../../generation/observer.js';
import type { ValidatedRequest } from '../../generation/types.js';
import type { EstimateRow, EvalSampleRow, FeedbackRow, ScorerMean } from '../../store/index.js';
import type { EvaluationMetrics } from '../../telemetry/evaluation.js';
import type { Log } from '../../telemetry/log.js';
import type { Endpoint } from '../target/endpoint.js';
import type { LiveAlerts } from './alerts.js';
import { AnswerCollector, type CollectorOptions } from './answer-collector.js';
import { Backlog } from './backlog.js';
import { type Calibration, calibrationCurves } from './calibration.js';
import { type Features, featureReader } from './features.js';
import { messageOf } from './message.js';
import { type Finding, Monitor, type MonitorStatus, type Split } from './monitor.js';
import { exchangeOf } from './question.js';
import { RecentExchanges } from './recent.js';
import { type Redact, redacted, redactedFeedback } from './redact.js';
import type { EndedExchange, Exchange, LiveSample, SampleReason } from './sample.js';
import { liveScorers, SampleScorer } from './sample-scorer.js';
import { Sampling } from './sampling.js';

export interface LiveStore {
  saveEvalSample(sample: EvalSampleRow): Promise<void>;
  saveFeedback(feedback: FeedbackRow): Promise<void>;
}

export interface SampleReader {
  evalEstimates(sinceMs: number, maxSamples: number): Promise<EstimateRow[]>;
  evalScorerMeans(sinceMs: number, maxSamples: number): Promise<ScorerMean[]>;
}

/** What the store's samples say together, over the days that they are kept. */
export interface KeptStatus {
  scorers: ScorerMean[];
  calibration: Calibration[];
}

export interface LiveEvaluationOptions {
  config: EvaluationConfig;
  store: LiveStore | null; // null: nothing outlasts the process
  /** For what takes long; null where there is no store. */
  reports: (() => Promise<SampleReader>) | null;
  alerts: LiveAlerts;
  metrics: EvaluationMetrics;
  log: Log;
  redact: Redact;
  /** The models, asked in the name of who asked. Requests by it must not be observed: it says which they are. */
  endpointFor: (asker: Caller) => Endpoint;
  isOwn: (request: ValidatedRequest) => boolean;
  splitOf: (route: string) => Split | null; // null: it has no variants
  /** Called once for a variant whose quality is worse; what is done about it isn't decided here. */
  onWorse: (route: string, variant: string) => void;
  now: () => number;
}

interface Pending {
  ended: EndedExchange;
  reasons: SampleReason[];
  split: Split | null; // as it was when the exchange ended
}

const REPORTED_SAMPLES = 5_000; // the last ones
const DAY_MS = 86_400_000;

/**
 * Evaluation of live traffic: exchanges are taken as they end and scored one at a time, behind everything that users wait for. All
 * work for a request happens after its answer is out.
 */
export class LiveEvaluation implements GenerationObserver {
  readonly #options: LiveEvaluationOptions;
  readonly #sampling: Sampling;
  readonly #collecting: CollectorOptions;
  readonly #recent: RecentExchanges;
  readonly #backlog: Backlog<Pending>;
  readonly #scorer: SampleScorer;
  readonly #monitor: Monitor;
  readonly #featuresOf: (exchange: Exchange) => Features;
  readonly #stop = new AbortController();
  readonly #taken = new WeakSet<EndedExchange>(); // evaluated, or waiting for it: once is enough

  /** Throws ConfigError where a scorer or a topic's pattern isn't one. */
  static async create(options: LiveEvaluationOptions): Promise<LiveEvaluation> {
    const { config, endpointFor } = options;
    const scorers = await liveScorers(config);
    return new LiveEvaluation(options, new SampleScorer({ scorers, judge: config.judge, endpointFor }));
  }

  private constructor(options: LiveEvaluationOptions, scorer: SampleScorer) {
    const { config, now, metrics } = options;
    this.#options = options;
    this.#scorer = scorer;
    this.#sampling = new Sampling(config);
    this.#collecting = {
      maxCharacters: config.maxTextCharacters,
      now,
      onEnd: (ended) => this.#ended(ended),
      onTooLong: () => metrics.samples.labels('too_long').inc(),
    };
    this.#recent = new RecentExchanges(config.maxRecent);
    this.#backlog = new Backlog(config.maxPending, (pending) => this.#evaluate(pending));
    this.#monitor = new Monitor(config);
    this.#featuresOf = featureReader(config.topics);
  }

  observe(request: ValidatedRequest): AnswerObserver | null {
    if (this.#options.isOwn(request) || !this.#sampling.mayLook(request.caller.keyId)) return null;
    return new AnswerCollector(request, this.#collecting);
  }

  /** Keeps what a user thinks of an answer. Rejects with store_unavailable or guard_failed; true where it could be kept. */
  async feedback(row: FeedbackRow): Promise<boolean> {
    const { store, metrics, redact } = this.#options;
    await store?.saveFeedback(await redactedFeedback(row, redact));
    const recent = this.#recent.find(row.requestId, row.tenant);
    if (recent && row.rating !== null) metrics.score.labels(recent.model, 'feedback').observe(row.rating);
    const isDown = row.rating !== null && row.rating < 0.5 && this.#sampling.allows('thumbs_down');
    if (recent && this.#sampling.mayTake(recent) && (isDown || row.correction !== null))
      this.#take(recent, [isDown ? 'thumbs_down' : 'feedback']);
    return store !== null;
  }

  async status(): Promise<MonitorStatus & KeptStatus & { pending: number }> {
    const { reports, config, now } = this.#options;
    const kept: KeptStatus = { scorers: [], calibration: [] };
    if (reports !== null) {
      const store = await reports();
      const sinceMs = now() - config.retentionDays * DAY_MS;
      kept.scorers = await store.evalScorerMeans(sinceMs, REPORTED_SAMPLES);
      kept.calibration = calibrationCurves(await store.evalEstimates(sinceMs, REPORTED_SAMPLES));
    }
    return { ...this.#monitor.status(), pending: this.#backlog.size, ...kept };
  }

  /** Resolves when nothing waits to be evaluated. */
  idle(): Promise<void> {
    return this.#backlog.idle();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#backlog.close();
    await this.#options.alerts.close();
  }

  #ended(ended: EndedExchange): void {
    this.#recent.add(ended);
    const reasons = this.#sampling.reasons(ended);
    if (reasons.length > 0) this.#take(ended, reasons);
  }

  #take(ended: EndedExchange, reasons: SampleReason[]): void {
    if (this.#taken.has(ended)) return;
    const split = ended.route === null ? null : this.#options.splitOf(ended.route);
    const isTaken = this.#backlog.offer({ ended, reasons, split });
    if (isTaken) this.#taken.add(ended);
    this.#options.metrics.samples.labels(isTaken ? 'taken' : 'dropped').inc();
  }

  async #evaluate({ ended, reasons, split }: Pending): Promise<void> {
    const { metrics, log } = this.#options;
    const exchange = exchangeOf(ended);
    try {
      const { scores, score } = await this.#scorer.score(exchange, ended, this.#stop.signal);
      this.#stop.signal.throwIfAborted(); // scorers that were cut off look like ones that failed
      if (score === null) metrics.samples.labels('unscored').inc();
      for (const { name, value } of scores)
        if (value !== null) metrics.score.labels(exchange.model, name).observe(value);
      const sample = { ...exchange, reasons, scores, score };
      for (const finding of this.#monitor.add(sample, this.#featuresOf(exchange), split))
        this.#report(finding);
      await this.#keep(sample);
    } catch (error) {
      if (!this.#stop.signal.aborted) log.error({ err: error }, 'evaluation of a live request');
    }
  }

  async #keep(sample: LiveSample): Promise<void> {
    const { store, config, redact } = this.#options;
    const { requestId, tenant, atMs, model } = sample;
    const kept = await redacted(sample, config.keepTexts ? redact : null);
    await store?.saveEvalSample({ requestId, tenant, atMs, model, body: JSON.stringify(kept) });
  }

  #report(finding: Finding): void {
    const { alerts, onWorse } = this.#options;
    const message = messageOf(finding);
    if (finding.kind !== 'variant') {
      const { kind, ...details } = finding;
      const measure = finding.kind === 'drift' ? ` ${finding.measure}` : '';
      alerts.raise(`${kind} ${finding.model}${measure}`, { message, ...details });
      return;
    }
    const { kind, isFirst, ...details } = finding;
    const { variant, measure, verdict } = finding.comparison;
    alerts.raise(`${kind} ${finding.route} ${variant} ${measure} ${verdict}`, { message, ...details });
    if (isFirst && measure === 'quality' && verdict === 'worse') onWorse(finding.route, variant);
  }
}
