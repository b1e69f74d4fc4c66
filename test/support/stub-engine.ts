import type { Engine } from '../../src/engine/engine.js';
import type {
  EngineEvent,
  EngineStats,
  FinishReason,
  GenerateRequest,
  PinnedPrefix,
  TokenLogprob,
} from '../../src/engine/types.js';
import { SluiceError } from '../../src/errors.js';
import type { ContextInfo, ModelInfo } from '../../src/native/types.js';
import { steadyNowMs } from '../../src/support/steady-clock.js';
import { BOS, EOS, VOCAB_SIZE } from './stub-vocab.js';

export interface StubEngineOptions {
  modelId?: string;
  maxContext?: number;
  /** What each choice says; by default its prompt's visible text, over and over. */
  reply?: (request: GenerateRequest, choice: number) => string;
  /** Between tokens; 0 sends each token in its own turn of the event loop. */
  delayMs?: number;
  /** That a prompt takes; by default one step. */
  promptMs?: number;
  /** Further requests are refused with queue_full. */
  maxRunning?: number;
}

/** Speaks as an engine does, on one thread and from a script. A token is one byte of text. */
export class StubEngine implements Engine {
  readonly modelId: string;
  readonly maxContext: number;
  readonly createdAtMs = Date.UTC(2026, 0, 1);
  readonly context: ContextInfo = {
    placement: 'pages',
    attention: 'paged',
    attentionReason: '',
    kvBytes: 2 ** 20,
    windowPages: 0,
    bytesPerPage: 2 ** 10,
  };
  readonly model: ModelInfo;
  /** Every request it was given, for tests to look at. */
  readonly requests: GenerateRequest[] = [];
  /** Ids it was told to cancel, once each. */
  readonly cancelled: string[] = [];
  /** Set to end the next request that is accepted with an error after `afterTokens` tokens. */
  failNext: { code: Extract<EngineEvent, { type: 'error' }>['code']; afterTokens: number } | null = null;
  /** `failNext` stays set: every request fails so. */
  alwaysFails = false;
  isHealthy = true;

  readonly #options: StubEngineOptions;
  readonly #running = new Map<string, Running>();
  readonly #prefixes = new Map<string, PinnedPrefix>();
  #generated = 0;
  #rejections = 0;
  #held: (() => void)[] | null = null; // what waits for `release`
  #idle: (() => void)[] = [];

  constructor(options: StubEngineOptions = {}) {
    this.#options = options;
    this.modelId = options.modelId ?? 'stub';
    this.maxContext = options.maxContext ?? 2048;
    this.model = modelInfo(this.modelId, this.maxContext);
  }

  get running(): number {
    return this.#running.size;
  }

  /** Requests whose prompt it is still at. */
  get prefilling(): number {
    let count = 0;
    for (const { hasPrompt } of this.#running.values()) if (!hasPrompt) count += 1;
    return count;
  }

  /** Running requests stand still until `release`, so that a test sees them in the middle however slow the machine is. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const action of held) action();
  }

  generate(request: GenerateRequest, sink: (event: EngineEvent) => void): void {
    if (this.#running.size >= (this.#options.maxRunning ?? Number.POSITIVE_INFINITY)) {
      this.#rejections += 1;
      throw new SluiceError('queue_full', 'The queue is full.', { retryAfterSeconds: 1 });
    }
    if (this.#running.has(request.id)) throw new Error(`id ${request.id} runs already`);
    this.requests.push(request);
    const reply = this.#options.reply ?? ((given) => echoForever(given));
    const choices = Array.from({ length: request.choices }, (_, choice) =>
      Buffer.from(reply(request, choice)),
    );
    const running: Running = {
      request,
      sink,
      choices,
      sent: 0,
      before: choices.map((_, index) => request.resumed?.[index]?.tokens.length ?? 0),
      open: new Set([...choices.keys()].filter((index) => !request.resumed?.[index]?.ended)),
      hasPrompt: false,
      failure: this.failNext,
    };
    if (!this.alwaysFails) this.failNext = null;
    this.#running.set(request.id, running);
    this.#next(running, () => this.#prompt(running), this.#options.promptMs);
  }

  cancel(id: string): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.cancelled.push(id);
    this.#end(id);
    for (const index of running.open) running.sink(done(running, index, 'cancelled', null));
  }

  async pinPrefix(tenant: string, id: string, tokens: Int32Array): Promise<PinnedPrefix> {
    const pinned = {
      id,
      tenant,
      tokens: tokens.length,
      pages: Math.ceil(tokens.length / 32),
      createdAtMs: 0,
      hits: 0,
    };
    this.#prefixes.set(`${tenant}/${id}`, pinned);
    return pinned;
  }

  async listPrefixes(tenant: string): Promise<PinnedPrefix[]> {
    return [...this.#prefixes.values()].filter((prefix) => prefix.tenant === tenant);
  }

  async unpinPrefix(tenant: string, id: string): Promise<boolean> {
    return this.#prefixes.delete(`${tenant}/${id}`);
  }

  stats(): EngineStats {
    return {
      running: this.#running.size,
      waiting: 0,
      pagesTotal: 100,
      pagesFree: 90,
      pagesCached: 6,
      pagesLive: 4,
      windowPagesTotal: 0,
      windowPagesFree: 0,
      windowPagesIdle: 0,
      windowPagesHeld: 0,
      steps: this.#generated,
      lastStepAtMs: 0,
      scheduleMs: 1000,
      forwardMs: 2000,
      sampleMs: 3000,
      emitMs: 4000,
      promptTokens: 0,
      cachedTokens: 0,
      generatedTokens: this.#generated,
      cellsUnused: 0,
      pagesHost: 0,
      pagesSaved: 0,
      pagesRestored: 0,
      pagesFetched: 0,
      graphsReused: 0,
      draftedTokens: 0,
      acceptedTokens: 0,
      prefixQueries: 8,
      prefixHits: 5,
      preemptions: 2,
      rejections: this.#rejections,
      sessions: 0,
      pinnedPrefixes: this.#prefixes.size,
    };
  }

  healthy(): boolean {
    return this.isHealthy;
  }

  async drain(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    for (const id of [...this.#running.keys()]) this.cancel(id);
  }

  #prompt(running: Running): void {
    const { request, sink } = running;
    running.hasPrompt = true;
    const logprobs = Array.from(request.prompt, (token, index) => {
      return index === 0 ? null : logprobOf(token, request.promptLogprobs);
    });
    sink({
      type: 'prompt',
      id: request.id,
      cachedTokens: request.cachePrompt ? 3 : 0,
      logprobs: request.promptLogprobs < 0 ? null : logprobs,
    });
    this.#next(running, () => this.#step(running));
  }

  #step(running: Running): void {
    const { request, failure } = running;
    if (request.deadlineMs !== null && steadyNowMs() > request.deadlineMs) {
      this.#end(request.id);
      const message = 'The deadline passed.';
      const code = 'deadline_exceeded';
      running.sink({ type: 'error', id: request.id, code, message, retryAfterSeconds: null });
      return;
    }
    if (failure && running.sent >= failure.afterTokens) {
      this.#end(request.id);
      running.sink({
        type: 'error',
        id: request.id,
        code: failure.code,
        message: 'Scripted.',
        retryAfterSeconds: null,
      });
      return;
    }
    const position = running.sent;
    running.sent += 1;
    for (const index of running.open) this.#advance(running, index, running.before[index]! + position);
    if (running.open.size === 0) this.#end(request.id);
    else this.#next(running, () => this.#step(running));
  }

  /** One byte a step; characters of several bytes are held back until they are whole, as an engine does. */
  #advance(running: Running, index: number, position: number): void {
    const { request, sink, choices } = running;
    const bytes = choices[index]!;
    const said = bytes.subarray(0, position).toString('utf8');
    const stopSequence = request.stop.find((stop) => said.endsWith(stop)) ?? null;
    const finish: FinishReason | null =
      stopSequence !== null || position >= bytes.length
        ? 'stop'
        : position >= request.maxTokens
          ? 'length'
          : null;
    if (finish) {
      running.open.delete(index);
      if (running.open.size === 0) this.#end(request.id);
      sink(done(running, index, finish, stopSequence));
      return;
    }
    this.#generated += 1;
    const token = bytes[position]!;
    const begin = characterStart(bytes, position);
    const whole = bytes.subarray(begin, position + 1).toString('utf8');
    const text = whole.includes('\ufffd') ? '' : whole;
    const top = request.sampling.topLogprobs;
    const logprobs = top < 0 ? null : [logprobOf(token, top)];
    sink({ type: 'delta', id: request.id, index, text, tokens: [token], logprobs });
  }

  #next(running: Running, action: () => void, delayMs = this.#options.delayMs ?? 0): void {
    const guarded = () => {
      if (this.#held) this.#held.push(guarded);
      else if (this.#running.get(running.request.id) === running) action();
    };
    if (delayMs > 0) setTimeout(guarded, delayMs);
    else setImmediate(guarded);
  }

  #end(id: string): void {
    this.#running.delete(id);
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

interface Running {
  request: GenerateRequest;
  sink: (event: EngineEvent) => void;
  choices: Buffer[];
  sent: number; // tokens of each choice
  before: number[]; // tokens that each choice had when it was resumed
  open: Set<number>;
  hasPrompt: boolean;
  failure: StubEngine['failNext'];
}

function done(
  running: Running,
  index: number,
  finishReason: FinishReason,
  stopSequence: string | null,
): EngineEvent {
  const sent = Math.max(0, running.sent - (finishReason === 'cancelled' ? 0 : 1));
  const completionTokens = running.before[index]! + sent;
  return { type: 'done', id: running.request.id, index, finishReason, stopSequence, completionTokens };
}

/** A token of value t has log-probability −t / 100; the alternatives are the values below it. */
function logprobOf(token: number, top: number): TokenLogprob {
  return {
    token,
    logprob: -token / 100,
    top: Array.from({ length: top }, (_, index) => ({ token: 97 + index, logprob: -(97 + index) / 100 })),
  };
}

function echoForever(request: GenerateRequest): string {
  const said =
    Buffer.from(Uint8Array.from(request.prompt.filter((token) => token < 256))).toString('utf8') || 'x';
  return said.repeat(Math.ceil((request.maxTokens + 1) / Buffer.byteLength(said)));
}

function characterStart(bytes: Buffer, position: number): number {
  let begin = position;
  while (begin > 0 && (bytes[begin]! & 0xc0) === 0x80) begin -= 1;
  return begin;
}

function modelInfo(name: string, trainContext: number): ModelInfo {
  return {
    path: '',
    architecture: 'stub',
    name,
    description: 'a scripted model',
    sizeBytes: 1,
    parameters: 1,
    trainContext,
    vocabSize: VOCAB_SIZE,
    embeddingSize: 1,
    layers: 1,
    heads: 1,
    kvHeads: 1,
    kvCell: { keys: 1, values: 1 },
    window: null,
    bosToken: BOS,
    eosToken: EOS,
    addBos: true,
    chatTemplate: 'stub',
    recurrent: false,
    hybrid: false,
    packedWeights: { kernel: '', reason: 'not asked for', tensors: 0, bytes: 0 },
    encoderOnly: false,
    metadata: {},
  };
}
