import { type Capability, capabilities } from '../../config/index.js';
import type { TokenBound } from '../../cost/tab.js';
import { SluiceError } from '../../errors.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../../generation/types.js';
import type { VocabTable } from '../../native/types.js';
import type { RedisLink } from '../../redis/link.js';
import { cancelledAnswer } from '../../routing/cancelled.js';
import type { ModelCard } from '../../routing/model-card.js';
import type { Target } from '../../routing/target.js';
import { steadyNowMs } from '../../support/steady-clock.js';
import type { Trace } from '../../telemetry/trace.js';
import type { Dispatcher } from './dispatcher.js';
import type { RemoteModel } from './remote-model.js';
import type { RemoteTools } from './remote-tools.js';
import { ReservationGate } from './reservation-gate.js';

const LONGEST_RETRY_SECONDS = 60;

export interface RemoteTargetOptions {
  maxInFlight: number;
  waitTimeoutMs: number;
}

/** A model that workers serve, over Redis. */
export class RemoteTarget implements Target {
  readonly kind = 'remote';
  readonly capabilities: ReadonlySet<Capability> = new Set(capabilities);
  readonly bytes = 0;
  readonly maxRunning: number;
  readonly probe = null;
  readonly model: RemoteModel;
  readonly tools: RemoteTools;
  readonly #dispatcher: Dispatcher;
  readonly #redis: RedisLink;
  readonly #options: RemoteTargetOptions;

  constructor(
    model: RemoteModel,
    tools: RemoteTools,
    dispatcher: Dispatcher,
    redis: RedisLink,
    options: RemoteTargetOptions,
  ) {
    this.model = model;
    this.tools = tools;
    this.maxRunning = options.maxInFlight;
    this.#dispatcher = dispatcher;
    this.#redis = redis;
    this.#options = options;
  }

  /** Of the latest worker: while a model is being replaced, both revisions answer. */
  get revision(): string {
    return this.model.description.revision;
  }

  get vocab(): VocabTable {
    return this.model.description.vocab;
  }

  get card(): ModelCard {
    return this.model.description.card;
  }

  get contextTokens(): number {
    return this.model.description.contextTokens;
  }

  async answer(
    request: ValidatedRequest,
    sink: GenerationSink,
    signal: AbortSignal,
    onCounted: (bound: TokenBound) => void | Promise<void>,
    trace: Trace,
  ): Promise<Usage> {
    const { queue, dead, description } = this.model;
    if (signal.aborted) return cancelledAnswer(queue.model, request, sink);
    this.#refuseHopeless(request);
    trace.part('prefill'); // with the wait for a worker
    let hasStarted = false;
    const placement = this.model.placementOf(request);
    const gate = new ReservationGate(sink, onCounted);
    const answering = this.#dispatcher.submit({
      queue,
      dead,
      request,
      placement,
      trace: trace.headers,
      signal: AbortSignal.any([signal, gate.refused]),
      onCounted: (bound) => gate.counted(bound),
      onQueued: (waiting) => {
        if (this.model.hasRoom) return;
        sink({ type: 'queued', position: waiting + 1, estimateMs: this.model.estimateMs(waiting + 1) ?? 0 });
      },
      sink: (event) => {
        if (event.type === 'start') {
          hasStarted = true;
          return gate.event({ ...event, vocab: description.vocab });
        }
        // Given up before any worker began.
        if (!hasStarted) gate.event(emptyStart(queue.model));
        hasStarted = true;
        gate.event(event);
      },
    });
    try {
      const usage = await answering;
      await gate.settled();
      return usage;
    } finally {
      gate.close();
      placement.moved(null);
    }
  }

  alive(): boolean {
    return this.#redis.commands.isUp;
  }

  /** The workers have done that. */
  warmUp(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Who would wait in vain is told now, and when it is worth trying again. */
  #refuseHopeless({ deadlineMs }: ValidatedRequest): void {
    const estimateMs = this.model.estimateMs(this.model.waiting);
    const patienceMs = Math.min(this.#options.waitTimeoutMs, deadlineMs - steadyNowMs());
    if (estimateMs === null || estimateMs <= patienceMs) return;
    const seconds = Math.ceil((estimateMs - patienceMs) / 1000);
    throw new SluiceError(
      'queue_full',
      `${this.model.waiting} requests wait for the workers of this model.`,
      {
        retryAfterSeconds: Math.min(LONGEST_RETRY_SECONDS, Math.max(1, seconds)),
      },
    );
  }
}

function emptyStart(model: string) {
  return { type: 'start', model, vocab: null, route: null, warning: null, trimmed: [], quota: {} } as const;
}
