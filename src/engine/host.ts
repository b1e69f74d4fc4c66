import { basename } from 'node:path';
import { SluiceError, shuttingDown } from '../errors.js';
import type { ContextInfo, ModelInfo } from '../native/types.js';
import { Pace } from '../support/pace.js';
import type { Engine } from './engine.js';
import { openChoicesOf, type PinResult } from './live-request.js';
import type { Command, ReadyInfo, Report } from './protocol.js';
import { ThreadLink } from './thread-link.js';
import {
  type EngineConfig,
  type EngineEvent,
  type EngineStats,
  type GenerateRequest,
  noStats,
  type PinnedPrefix,
} from './types.js';

const pingIntervalMs = 1_000;
const silentAfterMs = 10_000; // no step of a sensible configuration takes as long
const defaultRestartDelayMs = 1_000;
const crashWindowMs = 600_000; // a second crash within this time is not answered with another restart
const closeTimeoutMs = 10_000;
const longestRetrySeconds = 60;

export interface EngineOptions {
  /** The name clients use; default: the file's name without `.gguf`. */
  modelId?: string;
  /** Told of faults that ended requests and of crashes of the thread, for the log. */
  onFault?: (message: string) => void;
  /** The thread's entry; tests have one of their own. */
  threadEntry?: URL;
  /** Time between a crash of the thread and its next start; default: a second. */
  restartDelayMs?: number;
  /** Gives up loading: createEngine rejects, once the thread has ended. */
  signal?: AbortSignal;
}

interface LiveRequest {
  sink: (event: EngineEvent) => void;
  openChoices: number;
}

interface Call {
  resolve(result: unknown): void;
  reject(error: SluiceError): void;
}

/** Loads a model in a thread of its own; `onProgress` gets 0 to 1. Rejects where the model can't be loaded. */
export async function createEngine(
  config: EngineConfig,
  onProgress: (fraction: number) => void = () => {},
  options: EngineOptions = {},
): Promise<Engine> {
  const { signal } = options;
  signal?.throwIfAborted();
  const host = new EngineHost(config, onProgress, options);
  const giveUp = () => void host.close(); // which makes start() reject
  signal?.addEventListener('abort', giveUp);
  try {
    await host.start();
    signal?.throwIfAborted();
  } catch (error) {
    await host.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  return host;
}

/** The main thread's side of an engine: routes events to their sinks, and outlives a crash of the thread. */
export class EngineHost implements Engine {
  readonly modelId: string;
  readonly createdAtMs = Date.now();
  private link: ThreadLink | null = null;
  private info: ReadyInfo | null = null;
  /** The thread has loaded its model and takes commands. */
  private up = false;
  private draining = false;
  private closed = false;
  private crashedAtMs = Number.NEGATIVE_INFINITY;
  private heardAtMs = 0; // monotonic
  private lastStats = noStats;
  private readonly live = new Map<string, LiveRequest>();
  private readonly calls = new Map<number, Call>();
  private readonly ends = new Pace(1_000); // requests that end
  private nextCall = 0;
  private onIdle: (() => void)[] = [];
  private readonly pings = setInterval(() => this.ping(), pingIntervalMs).unref();

  constructor(
    private readonly config: EngineConfig,
    private readonly onProgress: (fraction: number) => void,
    private readonly options: EngineOptions,
  ) {
    this.modelId = options.modelId ?? basename(config.modelPath).replace(/\.gguf$/i, '');
  }

  get model(): ModelInfo {
    return this.ready.model;
  }

  get context(): ContextInfo {
    return this.ready.context;
  }

  get maxContext(): number {
    return this.ready.maxContext;
  }

  async start(): Promise<void> {
    this.link = new ThreadLink(
      this.options.threadEntry ?? new URL('./thread.js', import.meta.url),
      this.threadData,
      {
        onEvents: (events) => this.route(events),
        onReport: (report) => this.take(report),
        onExit: (error) => this.threadEnded(error),
      },
    );
    this.info = await this.link.ready;
    this.heardAtMs = performance.now();
    this.up = true;
  }

  generate(request: GenerateRequest, sink: (event: EngineEvent) => void): void {
    this.assertOpen();
    this.validate(request);
    // Every running request has at least one sequence, so more can't be accepted; the thread counts exactly.
    if (this.live.size >= this.config.maxQueue + this.ready.maxSequences) {
      const retryAfterSeconds = this.ends.secondsFor(this.live.size, longestRetrySeconds);
      throw new SluiceError('queue_full', `${this.live.size} requests are in progress.`, {
        retryAfterSeconds,
      });
    }
    this.live.set(request.id, { sink, openChoices: openChoicesOf(request) });
    this.send({ type: 'submit', request });
  }

  cancel(id: string): void {
    if (this.live.has(id)) this.send({ type: 'cancel', id });
  }

  async pinPrefix(tenant: string, id: string, tokens: Int32Array): Promise<PinnedPrefix> {
    this.assertOpen();
    this.assertTokens(tokens);
    const result = await this.call<PinResult>((call) => ({ type: 'pin', call, tenant, id, tokens }));
    if ('prefix' in result) return result.prefix;
    throw new SluiceError(result.error.code, result.error.message);
  }

  listPrefixes(tenant: string): Promise<PinnedPrefix[]> {
    return this.call((call) => ({ type: 'list', call, tenant }));
  }

  unpinPrefix(tenant: string, id: string): Promise<boolean> {
    return this.call((call) => ({ type: 'unpin', call, tenant, id }));
  }

  stats(): EngineStats {
    return this.lastStats;
  }

  healthy(): boolean {
    return this.up && performance.now() - this.heardAtMs < silentAfterMs;
  }

  drain(): Promise<void> {
    this.draining = true;
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
      this.settleIdle();
    });
  }

  async close(): Promise<void> {
    this.draining = true;
    this.closed = true;
    clearInterval(this.pings);
    if (this.up) await this.link?.close(closeTimeoutMs);
    else await this.link?.terminate();
  }

  private get ready(): ReadyInfo {
    if (this.info === null) throw new SluiceError('model_not_ready', 'The model is being loaded.');
    return this.info;
  }

  private get threadData() {
    return { config: this.config };
  }

  private assertOpen(): void {
    if (this.draining) throw shuttingDown();
    if (!this.up) throw notReady();
  }

  private validate({ id, prompt, maxTokens, sampling }: GenerateRequest): void {
    if (this.live.has(id)) throw new SluiceError('duplicate_id', 'A request of this id is in progress.');
    this.assertTokens(prompt);
    if (prompt.length + Math.min(maxTokens, 1) > this.maxContext) {
      const message = `The prompt has ${prompt.length} tokens; with an answer at most ${this.maxContext} fit.`;
      throw new SluiceError('request_too_large', message, { param: 'prompt' });
    }
    const { vocabSize } = this.model;
    if (sampling.logitBias.some(({ token }) => !(token >= 0 && token < vocabSize))) {
      throw new SluiceError('invalid_value', `Token ids are 0 to ${vocabSize - 1}.`, { param: 'logit_bias' });
    }
  }

  private assertTokens(tokens: Int32Array): void {
    const { vocabSize } = this.model;
    if (tokens.length === 0)
      throw new SluiceError('invalid_value', 'The prompt is empty.', { param: 'prompt' });
    if (tokens.some((token) => token < 0 || token >= vocabSize)) {
      throw new SluiceError('invalid_value', `Token ids are 0 to ${vocabSize - 1}.`, { param: 'prompt' });
    }
  }

  private ping(): void {
    if (this.up) this.send({ type: 'ping' });
  }

  private send(command: Command): void {
    this.link?.send(command);
  }

  private call<T>(command: (call: number) => Command): Promise<T> {
    if (!this.up || this.closed) return Promise.reject(notReady());
    const call = this.nextCall++;
    return new Promise((resolve, reject) => {
      this.calls.set(call, { resolve: resolve as (result: unknown) => void, reject });
      this.send(command(call));
    });
  }

  private route(events: EngineEvent[]): void {
    this.heardAtMs = performance.now();
    for (const event of events) {
      const request = this.live.get(event.id);
      if (request === undefined) continue;
      if (event.type === 'error' || (event.type === 'done' && --request.openChoices === 0))
        this.forget(event.id);
      request.sink(event);
    }
    this.settleIdle();
  }

  private take(report: Report): void {
    this.heardAtMs = performance.now();
    switch (report.type) {
      case 'loading':
        this.onProgress(report.fraction);
        break;
      case 'stats':
        this.lastStats = report.stats;
        break;
      case 'fault':
        this.options.onFault?.(report.message);
        break;
      case 'reply':
        this.calls.get(report.call)?.resolve(report.result);
        this.calls.delete(report.call);
    }
  }

  private forget(id: string): void {
    this.live.delete(id);
    this.ends.mark(Date.now());
  }

  private settleIdle(): void {
    if (this.live.size > 0) return;
    for (const resolve of this.onIdle) resolve();
    this.onIdle = [];
  }

  private threadEnded(error: Error | null): void {
    const wasUp = this.up;
    this.up = false;
    this.endEverything();
    if (this.closed || !wasUp) return; // while loading, start() rejects
    this.options.onFault?.(`The engine thread ended: ${error?.stack ?? 'it was terminated'}`);
    const nowMs = Date.now();
    const again = nowMs - this.crashedAtMs > crashWindowMs;
    this.crashedAtMs = nowMs;
    if (again) setTimeout(() => this.restart(), this.options.restartDelayMs ?? defaultRestartDelayMs);
  }

  /** Whoever was served by the thread hears of its end exactly once. */
  private endEverything(): void {
    const code = this.closed ? 'shutting_down' : 'engine_failed';
    const error = this.closed
      ? shuttingDown()
      : new SluiceError(code, 'The engine failed; it is being restarted.');
    const { message, retryAfterSeconds } = error;
    const requests = Array.from(this.live);
    this.live.clear();
    for (const [id, { sink }] of requests) sink({ type: 'error', id, code, message, retryAfterSeconds });
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
    this.settleIdle();
  }

  /** Pinned prefixes, sessions and the cache are lost with the thread; requests are taken again once it is up. */
  private restart(): void {
    if (this.closed) return;
    this.start().catch((error: Error) =>
      this.options.onFault?.(`The engine could not be restarted: ${error.message}`),
    );
  }
}

function notReady(): SluiceError {
  return new SluiceError('model_not_ready', 'The engine is not running.', { retryAfterSeconds: 5 });
}
