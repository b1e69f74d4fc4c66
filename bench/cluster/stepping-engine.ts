import type { Engine } from '../../src/engine/engine.js';
import {
  type EngineEvent,
  type EngineStats,
  type GenerateRequest,
  noStats,
  type PinnedPrefix,
} from '../../src/engine/types.js';
import type { ContextInfo, ModelInfo } from '../../src/native/types.js';
import type { TextService } from '../../src/text/text-service.js';

export const MODEL = 'stub';
const MAX_CONTEXT = 4096;
const VOCAB_SIZE = 256; // a token is a letter

interface Running {
  request: GenerateRequest;
  sink: (event: EngineEvent) => void;
  sent: number; // tokens; −1: its prompt is still to be read
}

/**
 * Takes no time but sleep: a step lasts so many ms, and gives each running request its next token. The first step begins when the
 * first request comes.
 */
export class SteppingEngine implements Engine {
  readonly modelId = MODEL;
  readonly maxContext = MAX_CONTEXT;
  readonly createdAtMs = 0;
  readonly model = {
    name: MODEL,
    vocabSize: VOCAB_SIZE,
    trainContext: MAX_CONTEXT,
    bosToken: 0,
  } as ModelInfo;
  readonly context = { placement: 'pages', attention: 'paged' } as ContextInfo;
  readonly #running = new Map<string, Running>();
  readonly #stepMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  generate(request: GenerateRequest, sink: (event: EngineEvent) => void): void {
    this.#running.set(request.id, { request, sink, sent: -1 });
    this.#timer ??= setInterval(() => this.#step(), this.#stepMs);
  }

  cancel(id: string): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    running.sink(doneOf(running, 'cancelled'));
  }

  stats(): EngineStats {
    return { ...noStats, running: this.#running.size, pagesTotal: 1, pagesFree: 1 };
  }

  healthy(): boolean {
    return true;
  }

  pinPrefix(): Promise<PinnedPrefix> {
    return Promise.reject(new Error('it has no cache'));
  }

  listPrefixes(): Promise<PinnedPrefix[]> {
    return Promise.resolve([]);
  }

  unpinPrefix(): Promise<boolean> {
    return Promise.resolve(false);
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  #step(): void {
    for (const running of this.#running.values()) this.#advance(running);
    if (this.#running.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #advance(running: Running): void {
    const { request, sink } = running;
    const { id } = request;
    if (running.sent < 0) sink({ type: 'prompt', id, cachedTokens: 0, logprobs: null });
    running.sent = Math.max(running.sent, 0) + 1;
    const token = 97 + (running.sent % 26);
    sink({ type: 'delta', id, index: 0, text: String.fromCharCode(token), tokens: [token], logprobs: null });
    if (running.sent < request.maxTokens) return;
    this.#running.delete(id);
    sink(doneOf(running, 'length'));
  }
}

function doneOf({ request, sent }: Running, finishReason: 'length' | 'cancelled'): EngineEvent {
  const completionTokens = Math.max(0, sent);
  return { type: 'done', id: request.id, index: 0, finishReason, stopSequence: null, completionTokens };
}

const unasked = () => Promise.reject(new Error('prompts are tokens'));

/** Only prompts of tokens come. */
export const noText: TextService = {
  vocab: {
    bytes: Uint8Array.from({ length: VOCAB_SIZE }, (_, token) => token),
    offsets: Uint32Array.from({ length: VOCAB_SIZE + 1 }, (_, token) => token),
    flags: new Uint8Array(VOCAB_SIZE),
  },
  tokenize: unasked,
  trimText: unasked,
  detokenize: () => Promise.resolve(''),
  chat: unasked,
  trimChat: unasked,
  parseChat: unasked,
  jsonSchemaToGrammar: unasked,
  validateGrammar: unasked,
  close: () => Promise.resolve(),
};
