import { SluiceError, toSluiceError } from '../../errors.js';
import type { LocalTarget } from '../../gateway/local-target.js';
import type { ValidatedRequest } from '../../generation/types.js';
import { steadyNowMs } from '../../support/steady-clock.js';
import { untraced } from '../../telemetry/trace.js';
import type { Entry, TakenWork } from '../queue/work-queue.js';
import { requestOf, unpack, WIRE_VERSION, type Work, type WorkerNews } from '../wire.js';
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
    this.#say({ ...failure(new SluiceError('shutting_down', 'The worker is shutting down.')) });
    this.cancel();
  }

  /** Answers it. Resolves when the engine is done with it, however it ended. */
  async run(target: LocalTarget, onRequest: (request: ValidatedRequest) => void): Promise<void> {
    const deadlineMs = steadyNowMs() + this.#work.deadlineMs - this.#work.waitedMs;
    this.#say({ type: 'taken', revision: this.#revision });
    await this.#outbox.flushed(); // a gateway that is gone is known before anything is computed
    if (this.#isSilenced) return;
    try {
      const work = unpack<Work>(this.#work.body);
      if (work.version !== WIRE_VERSION) throw otherVersion(work.version);
      if (work.revision !== null && work.revision !== this.#revision) throw otherRevision();
      const request = {
        ...requestOf(work, deadlineMs),
        id: `${this.id}.${this.attempt}`,
      };
      onRequest(request);
      const usage = await target.answer(
        request,
        // The gateway has the vocabulary from the model's description.
        (event) =>
          this.#say({ type: 'event', event: event.type === 'start' ? { ...event, vocab: null } : event }),
        this.#stop.signal,
        (bound) => this.#say({ type: 'counted', bound }),
        untraced,
        work.progress,
      );
      this.#say({ type: 'ended', usage });
    } catch (error) {
      this.#say(failure(toSluiceError(error)));
    }
  }

  #say(news: WorkerNews): void {
    if (this.#isSilenced) return;
    this.#outbox.push({ id: this.id, attempt: this.attempt, number: this.#number++, ...news });
  }
}

function failure({ code, message, param, retryAfterSeconds }: SluiceError): WorkerNews {
  return { type: 'failed', code, message, param, retryAfterSeconds };
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
