import { type Capability, capabilities } from '../config/index.js';
import type { TokenBound } from '../cost/tab.js';
import { promptOnly } from '../engine/prompt-only.js';
import type { GenerateRequest } from '../engine/types.js';
import type { Progress } from '../generation/progress.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import type { VocabTable } from '../native/types.js';
import { cardOf, type ModelCard } from '../routing/model-card.js';
import type { Target } from '../routing/target.js';
import type { Trace } from '../telemetry/trace.js';
import { LocalTools } from './local-tools.js';
import { parsedMessages, plainMessages } from './messages.js';
import type { ServedModel } from './models.js';
import type { PrefixStore } from './prefixes.js';
import { type PreparedRequest, type PrepareLimits, prepare } from './prepare.js';
import { resumed, resumedMessages } from './resume.js';
import { run } from './run.js';

/**
 * Requests that an engine is given for each sequence it may run: the second half waits in the engine, where the scheduler
 * can choose among it by cached prefix; the rest waits in the queue before it.
 */
const REQUESTS_PER_SEQUENCE = 2;

/** A model in this process. */
export class LocalTarget implements Target {
  readonly kind = 'local';
  readonly revision: string;
  readonly vocab: VocabTable;
  readonly capabilities: ReadonlySet<Capability> = new Set(capabilities);
  readonly contextTokens: number;
  readonly bytes: number;
  readonly maxRunning: number;
  readonly guests: number;
  readonly probe = null;
  readonly served: ServedModel;
  readonly tools: LocalTools;
  readonly card: ModelCard;
  readonly #prefixes: PrefixStore;
  readonly #limits: PrepareLimits;

  constructor(
    served: ServedModel,
    prefixes: PrefixStore,
    limits: PrepareLimits,
    maxSequences: number,
    guestSequences = 0,
  ) {
    const { engine, revision, text } = served;
    this.served = served;
    this.revision = revision;
    this.vocab = text.vocab;
    this.contextTokens = engine.maxContext;
    this.bytes = engine.model.sizeBytes + engine.context.kvBytes;
    this.maxRunning = maxSequences * REQUESTS_PER_SEQUENCE;
    this.guests = guestSequences;
    this.card = cardOf(engine.model);
    this.tools = new LocalTools(served, prefixes);
    this.#prefixes = prefixes;
    this.#limits = limits;
  }

  /** With `progress` it answers what is left; events that its receiver has had may come again, but for deltas and ends. */
  async answer(
    request: ValidatedRequest,
    sink: GenerationSink,
    signal: AbortSignal,
    onCounted: (bound: TokenBound) => void | Promise<void>,
    trace: Trace,
    progress: Progress | null = null,
  ): Promise<Usage> {
    const { id, text } = this.served;
    trace.part('tokenize');
    const prepared = await prepare(this.served, this.#prefixes, this.#limits, request);
    const reserving = onCounted(boundOf(prepared));
    if (reserving) await reserving;
    trace.part('prefill'); // with the wait in the engine
    const { warning, trimmed } = prepared;
    sink({ type: 'start', model: id, vocab: text.vocab, route: null, warning, trimmed, quota: {} });
    return await answerPrepared(this.served, prepared, request, sink, signal, progress);
  }

  alive(): boolean {
    return this.served.engine.healthy();
  }

  /** One token: the engine's first step allocates what later ones reuse. */
  warmUp(): Promise<void> {
    const { engine } = this.served;
    return new Promise((resolve, reject) => {
      engine.generate(warmUpRequest(Math.max(0, engine.model.bosToken)), (event) => {
        if (event.type === 'done') resolve();
        else if (event.type === 'error') reject(new Error(event.message));
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.served.engine.close(), this.served.text.close()]);
  }
}

function boundOf({ requests }: PreparedRequest): TokenBound {
  let promptTokens = 0;
  let completionTokens = 0;
  for (const { prompt, choices, maxTokens } of requests) {
    promptTokens += prompt.length;
    completionTokens += choices * maxTokens;
  }
  return { promptTokens, dearestPromptTokens: promptTokens, completionTokens };
}

async function answerPrepared(
  { engine, text }: ServedModel,
  prepared: PreparedRequest,
  request: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
  progress: Progress | null,
): Promise<Usage> {
  const requests = progress ? resumed(prepared.requests, progress) : prepared.requests;
  if (prepared.messageSyntax === null) return await run(engine, requests, sink, signal);
  const messages =
    prepared.messageSyntax === ''
      ? plainMessages(sink)
      : parsedMessages(
          text,
          prepared.messageSyntax,
          request.stream,
          sink,
          progress ? resumedMessages(text.vocab, requests[0]!, progress) : undefined,
        );
  try {
    const usage = await run(engine, requests, messages.sink, signal);
    await messages.settled();
    return usage;
  } catch (error) {
    messages.discard();
    throw error;
  }
}

function warmUpRequest(token: number): GenerateRequest {
  const prompt = Int32Array.of(token);
  return { ...promptOnly('warm-up', 'warm-up', prompt), maxTokens: 1, priority: 0, cachePrompt: false };
}
