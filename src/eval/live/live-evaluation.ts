import type { Caller } from '../../auth/caller.js';
import type { EvaluationConfig } from '../../config/index.js';
import type { AnswerObserver, GenerationObserver } from '../../generation/observer.js';
import type { ValidatedRequest } from '../../generation/types.js';
import type { EvalSampleRow, FeedbackRow } from '../../store/index.js';
import type { EvaluationMetrics } from '../../telemetry/evaluation.js';
import type { Log } from '../../telemetry/log.js';
import type { Endpoint } from '../target/endpoint.js';
import type { LiveAlerts } from './alerts.js';
import { AnswerCollector, type CollectorOptions } from './answer-collector.js';
import { Backlog } from './backlog.js';
import { calibrationCurve } from './calibration.js';
import { type Features, featureReader } from './features.js';
import { type Finding, Monitor, type MonitorStatus } from './monitor.js';
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
  evalSamples(sinceMs: number, maxRows: number): Promise<EvalSampleRow[]>;
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
  variantsOf: (route: string) => readonly string[] | null;
  /** Called once for a variant whose quality is worse; what is done about it isn't decided here. */
  onWorse: (route: string, variant: string) => void;
  now: () => number;
}

interface Pending {
  ended: EndedExchange;
  reasons: SampleReason[];
}

const CALIBRATED_SAMPLES = 5_000;
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
  readonly #reported = new Set<string>(); // variants that were found worse

  /** Throws ConfigError where a scorer or a topic's pattern isn't one. */
  static async create(options: LiveEvaluationOptions): Promise<LiveEvaluation> {
    const { config, endpointFor } = options;
    const scorers = await liveScorers(config);
    return new LiveEvaluation(options, new SampleScorer({ scorers, judge: config.judge, endpointFor }));
  }

  private constructor(options: LiveEvaluationOptions, scorer: SampleScorer) {
    const { config, variantsOf, now } = options;
    this.#options = options;
    this.#scorer = scorer;
    this.#sampling = new Sampling(config);
    this.#collecting = { maxCharacters: config.maxTextCharacters, now, onEnd: (ended) => this.#ended(ended) };
    this.#recent = new RecentExchanges(config.maxRecent);
    this.#backlog = new Backlog(config.maxPending, (pending) => this.#evaluate(pending));
    this.#monitor = new Monitor(config, variantsOf);
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
    if (recent && (isDown || row.correction !== null))
      this.#take({ ended: recent, reasons: [isDown ? 'thumbs_down' : 'feedback'] });
    return store !== null;
  }

  async status(): Promise<
    MonitorStatus & { pending: number; calibration: ReturnType<typeof calibrationCurve> }
  > {
    const { reports, config, now } = this.#options;
    const sinceMs = now() - config.retentionDays * DAY_MS;
    const rows = reports === null ? [] : await (await reports()).evalSamples(sinceMs, CALIBRATED_SAMPLES);
    const samples = rows.map(({ body }) => JSON.parse(body) as LiveSample);
    return { ...this.#monitor.status(), pending: this.#backlog.size, calibration: calibrationCurve(samples) };
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
    if (reasons.length > 0) this.#take({ ended, reasons });
  }

  #take(pending: Pending): void {
    const isTaken = this.#backlog.offer(pending);
    this.#options.metrics.samples.labels(isTaken ? 'taken' : 'dropped').inc();
  }

  async #evaluate({ ended, reasons }: Pending): Promise<void> {
    const { metrics, log } = this.#options;
    const exchange = exchangeOf(ended);
    try {
      const scores = await this.#scorer.score(exchange, ended, this.#stop.signal);
      const known = scores.flatMap(({ value }) => value ?? []);
      const score = known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
      for (const { name, value } of scores)
        if (value !== null) metrics.score.labels(exchange.model, name).observe(value);
      const sample = { ...exchange, reasons, scores, score };
      for (const finding of this.#monitor.add(sample, this.#featuresOf(exchange))) this.#report(finding);
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
    const { kind, ...details } = finding;
    if (finding.kind !== 'variant') {
      const measure = finding.kind === 'drift' ? ` ${finding.measure}` : '';
      alerts.raise(`${kind} ${finding.model}${measure}`, details);
      return;
    }
    const { route, comparison } = finding;
    alerts.raise(
      `variant ${route} ${comparison.variant} ${comparison.measure} ${comparison.verdict}`,
      details,
    );
    const key = JSON.stringify([route, comparison.variant]);
    if (comparison.measure !== 'quality' || comparison.verdict !== 'worse' || this.#reported.has(key)) return;
    this.#reported.add(key);
    onWorse(route, comparison.variant);
  }
}
