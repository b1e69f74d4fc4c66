import type { Config } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { CacheLevel, CacheReport, GenerationSink, Usage } from '../generation/types.js';
import type { Errand } from '../routing/router.js';
import { steadyNowMs } from '../support/steady-clock.js';
import { withFields } from '../support/with-fields.js';
import type { CacheMetrics } from '../telemetry/cache.js';
import { Flight } from './flight.js';
import { cacheKey, type KeyScope, modelState } from './key.js';
import { type Found, Levels } from './levels.js';
import { MemoryLevel } from './memory-level.js';
import { isWorthKeeping, promptHeadOf, wantsCache } from './policy.js';
import { Recording } from './recording.js';
import { cachedUsage, canReplay, factsOf, replay } from './replay.js';
import { Seat } from './seat.js';
import type { AskModel, CacheEntry, LevelStats, LowerLevel, PurgeSelector, Question } from './types.js';

export interface AnswerCacheOptions {
  settings: Config['cache'];
  scope: KeyScope;
  lower: readonly LowerLevel[]; // in the order to be asked
  metrics: CacheMetrics;
  ask: (errand: Errand, ...asked: Parameters<AskModel>) => Promise<string>;
  nowMs: () => number; // epoch
  random: () => number;
  onFault: (error: unknown, level: CacheLevel) => void;
}

/** Has an answer computed; resolves when it is complete, passed, and paid for. */
export type Compute = (sink: GenerationSink, signal: AbortSignal) => Promise<Usage>;

/**
 * The stage between a plan and its models: answers from memory, from the levels below it or from a computation of the same that
 * is under way; else has it computed, once for all who ask meanwhile, and keeps it.
 */
export class AnswerCache {
  readonly #options: AnswerCacheOptions;
  readonly #levels: Levels;
  readonly #flights = new Map<string, Flight>();

  constructor(options: AnswerCacheOptions) {
    const { memoryEntries, memoryBytes, diskTimeoutMs } = options.settings;
    this.#options = options;
    this.#levels = new Levels({
      memory: new MemoryLevel({ maxEntries: memoryEntries, maxBytes: memoryBytes }),
      lower: options.lower,
      timeoutMs: diskTimeoutMs,
      nowMs: options.nowMs,
      onFault: options.onFault,
      onPurge: () => this.#flights.clear(), // those aboard get what they have asked for
    });
  }

  /** Answers the errand. Where `usage.cache` has a level, `compute` wasn't called and nothing is to be paid. */
  async answer(errand: Errand, compute: Compute): Promise<Usage> {
    const question = this.#questionOf(errand);
    if (question === null) return await compute(errand.sink, errand.signal);
    const { reads } = errand.request.cache;
    for (;;) {
      const entry = reads && this.#levels.inMemory(question.key, (found) => this.#willDo(found, errand));
      if (entry) return this.#serve({ entry, level: 'l1' }, question, errand);
      const flightId = flightIdOf(question, errand);
      const flight = reads ? this.#flights.get(flightId) : undefined;
      if (!flight?.takes(errand.request, steadyNowMs()))
        return await this.#lead(flightId, question, errand, compute);
      const usage = await this.#follow(flight, question, errand);
      if (usage !== null) return usage;
    }
  }

  purge(selector: PurgeSelector): Promise<Record<string, number>> {
    return this.#levels.purge(selector);
  }

  stats(): Promise<Record<string, LevelStats>> {
    return this.#levels.stats();
  }

  /** Null: it is not to be cached. */
  #questionOf(errand: Errand): Question | null {
    const { plan, request } = errand;
    const { settings, scope, ask } = this.#options;
    if (!settings.enabled || !wantsCache(plan, request, settings.sampled)) return null;
    const key = cacheKey(plan, request, scope);
    if (key === null) return null;
    const model = plan.candidates[0]!.deployment.id;
    return {
      key,
      promptHead: promptHeadOf(request),
      model,
      plan,
      request,
      ask: (...asked) => ask(errand, ...asked),
    };
  }

  /** Computes for itself and for who joins. Stays aboard until it is known whether there is anything to compute, and to pay. */
  async #lead(flightId: string, question: Question, errand: Errand, compute: Compute): Promise<Usage> {
    const { request } = errand;
    const flight = new Flight(this.#newRecording(errand), errand);
    const report = reportOf(question, null);
    const seat = new Seat(errand, report);
    flight.board(seat);
    this.#flights.set(flightId, flight);
    const { epoch } = this.#levels;
    const models = modelState(errand.plan);
    const found = request.cache.reads
      ? await errand.trace.stage('cache', () =>
          this.#levels.below(question, (entry) => this.#willDo(entry, errand)),
        )
      : null;
    const riding = flight.ride(seat, errand.signal, null);
    void flight
      .run(async (sink, stop) => {
        if (found) return { found };
        if (request.cache.onlyIfCached) throw notCached();
        this.#options.metrics.missed();
        const usage = await compute(sink, stop);
        const isCurrent = epoch === this.#levels.epoch && models === modelState(errand.plan);
        if (isCurrent) this.#keep(question, errand, usage, flight.recording);
        return { usage };
      })
      .finally(() => this.#endFlight(flightId, flight));
    const landing = await riding;
    if (landing === null) return seat.cancelRest();
    if ('found' in landing) return this.#serve(landing.found, question, errand);
    return withFields(landing.usage, { cache: report });
  }

  /** Null where the flight failed for its leader's reasons before anything came of it: the request is still to be answered. */
  async #follow(flight: Flight, question: Question, errand: Errand): Promise<Usage | null> {
    const report = reportOf(question, 'flight');
    const seat = new Seat(errand, report);
    flight.board(seat);
    try {
      const landing = await flight.ride(seat, errand.signal, errand.request.deadlineMs);
      if (landing === null) return seat.cancelRest();
      if ('found' in landing) return this.#serve(landing.found, question, errand);
      this.#options.metrics.hit('flight');
      return cachedUsage(errand.plan, seat.model, factsOf(landing.usage), report);
    } catch (error) {
      if (seat.hasStarted || !flight.isLeadersFault(error)) throw error;
      return null;
    }
  }

  #serve({ entry, level }: Found, question: Question, errand: Errand): Usage {
    this.#options.metrics.hit(level);
    const ageMs = Math.max(0, this.#options.nowMs() - entry.storedAtMs);
    return replay(entry, { level, key: question.key, ageMs, similarity: entry.similarity }, errand);
  }

  #willDo(entry: CacheEntry, { plan, request }: Errand): boolean {
    const { maxAgeSeconds } = request.cache;
    if (maxAgeSeconds !== null && this.#options.nowMs() - entry.storedAtMs > maxAgeSeconds * 1000)
      return false;
    return canReplay(entry, plan);
  }

  #newRecording({ request: { input } }: Errand): Recording {
    const keepsPrompts = input.kind === 'text' && input.echo;
    return new Recording({ maxBytes: this.#options.settings.maxAnswerBytes, keepsPrompts });
  }

  #keep(question: Question, { plan, request }: Errand, usage: Usage, recording: Recording): void {
    const { events, bytes, needsVocab } = recording;
    const start = events.find((event) => event.type === 'start');
    if (!start || !recording.isWhole || !isWorthKeeping(plan, request, usage, events)) return;
    const { nowMs, random, settings } = this.#options;
    const storedAtMs = nowMs();
    const ttlMs = settings.ttlSeconds * 1000 * (1 - settings.ttlJitter * random());
    const entry: CacheEntry = {
      key: question.key,
      tenant: request.tenant,
      model: start.model,
      promptHead: question.promptHead,
      storedAtMs,
      expiresAtMs: Math.round(storedAtMs + ttlMs),
      bytes,
      similarity: null,
      answer: { events, needsVocab, facts: factsOf(usage) },
    };
    this.#levels.put(entry, question);
  }

  #endFlight(flightId: string, flight: Flight): void {
    if (this.#flights.get(flightId) === flight) this.#flights.delete(flightId);
  }
}

/** Requests that one computation can serve: in the same form, from the same models, looked for as far. */
function flightIdOf({ key }: Question, { plan, request }: Errand): string {
  const { maxAgeSeconds, onlyIfCached } = request.cache;
  const models = plan.candidates.map(({ deployment }) => deployment.id);
  return JSON.stringify([key, request.stream, maxAgeSeconds, onlyIfCached, models]);
}

function reportOf({ key }: Question, level: CacheLevel | null): CacheReport {
  return { level, key, ageMs: 0, similarity: null };
}

function notCached(): SluiceError {
  return new SluiceError('not_cached', 'There is no cached answer, and the request asks for nothing else.');
}
