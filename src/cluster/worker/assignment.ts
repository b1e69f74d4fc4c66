import type { TokenBound } from '../../cost/tab.js';
import { SluiceError, shuttingDown, toSluiceError } from '../../errors.js';
import type { LocalTarget } from '../../gateway/local-target.js';
import type { Progress } from '../../generation/progress.js';
import type { GenerationEvent, Usage, ValidatedRequest } from '../../generation/types.js';
import { unpack } from '../../redis/packing.js';
import { steadyNowMs } from '../../support/steady-clock.js';
import {
  type Attributes,
  type RootTrace,
  type Trace,
  type Tracing,
  untraced,
} from '../../telemetry/trace.js';
import type { Entry, TakenWork } from '../queue/work-queue.js';
import { requestOf, WIRE_VERSION, type Work, type WorkerNews } from '../wire.js';
import { failure } from './failure.js';
import type { Outbox } from './outbox.js';

/** A request that this worker is at. */
export class Assignment {
  readonly id: string;
  readonly attempt: number;
  readonly gateway: string;
  readonly sequences: number;
  readonly entry: Entry;
  readonly #work: TakenWork;
  readonly #outbox: Outbox;
  readonly #revision: string;
  readonly #stop = new AbortController();
  #number = 0; // of the next message
  #isSilenced = false;

  constructor(work: TakenWork, outbox: Outbox, revision: string) {
    this.id = work.request;
    this.attempt = work.attempt;
    this.gateway = work.gateway;
    this.sequences = work.sequences;
    this.entry = work.entry;
    this.#work = work;
    this.#outbox = outbox;
    this.#revision = revision;
  }

  get isCancelled(): boolean {
    return this.#isSilenced;
  }

  /** Nobody wants it any more. */
  cancel(): void {
    this.#isSilenced = true;
    this.#stop.abort();
  }

  /** It is given back, for another worker to go on from what the gateway has. */
  handOver(): void {
    this.#say({ ...failure(shuttingDown('worker')) });
    this.cancel();
  }

  /** Answers it. Resolves when the engine is done with it, however it ended. */
  async run(
    target: LocalTarget,
    tracing: Tracing,
    onRequest: (request: ValidatedRequest) => void,
  ): Promise<void> {
    const deadlineMs = steadyNowMs() + this.#work.deadlineMs - this.#work.waitedMs;
    this.#say({ type: 'taken', revision: this.#revision });
    await this.#outbox.flushed(); // a gateway that is gone is known before anything is computed
    if (this.#isSilenced) return;
    let trace: RootTrace = untraced;
    try {
      const work = unpack<Work>(this.#work.body);
      trace = tracing.start(`worker ${target.served.id}`, headersOf(work.trace ?? []));
      if (work.version !== WIRE_VERSION) throw otherVersion(work.version);
      if (work.revision !== null && work.revision !== this.#revision) throw otherRevision();
      const request = {
        ...requestOf(work, deadlineMs),
        id: `${this.id}.${this.attempt}`,
      };
      onRequest(request);
      const usage = await this.#answer(target, request, work.progress, trace);
      trace.describe(() => this.#attributes(usage));
      trace.end();
      this.#say({ type: 'ended', usage });
    } catch (thrown) {
      const error = toSluiceError(thrown);
      trace.end(error.code);
      this.#say(failure(error));
    }
  }

  #answer(
    target: LocalTarget,
    request: ValidatedRequest,
    progress: Progress | null,
    trace: Trace,
  ): Promise<Usage> {
    let isDecoding = false;
    const say = (event: GenerationEvent) => {
      if (event.type === 'delta' && !isDecoding) {
        isDecoding = true;
        trace.part('decode');
      }
      // The gateway has the vocabulary from the model's description.
      this.#say({ type: 'event', event: event.type === 'start' ? { ...event, vocab: null } : event });
    };
    const counted = (bound: TokenBound) => this.#say({ type: 'counted', bound });
    return target.answer(request, say, this.#stop.signal, counted, trace, progress);
  }

  #attributes({ promptTokens, completionTokens, cachedTokens }: Usage): Attributes {
    return {
      'gen_ai.usage.input_tokens': promptTokens,
      'gen_ai.usage.output_tokens': completionTokens,
      'gen_ai.usage.cache_read.input_tokens': cachedTokens,
      'sluice.attempt': this.attempt,
      'sluice.queue.waited_ms': this.#work.waitedMs,
    };
  }

  #say(news: WorkerNews): void {
    if (this.#isSilenced) return;
    this.#outbox.push({ id: this.id, attempt: this.attempt, number: this.#number++, ...news });
  }
}

/** Names and values in turns. */
function headersOf(trace: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < trace.length; i += 2) headers.set(trace[i]!, trace[i + 1]!);
  return headers;
}

function otherVersion(version: number): SluiceError {
  return new SluiceError(
    'model_not_ready',
    `The worker speaks version ${WIRE_VERSION} of the wire, not ${version}.`,
  );
}

function otherRevision(): SluiceError {
  return new SluiceError('model_not_ready', 'The answer was begun by another revision of the model.');
}
