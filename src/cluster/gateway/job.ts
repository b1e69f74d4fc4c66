import type { TokenBound } from '../../cost/tab.js';
import { noProgress, type Progress, record } from '../../generation/progress.js';
import type { GenerationEvent, Usage } from '../../generation/types.js';
import type { Entry } from '../queue/work-queue.js';
import type { WorkerMessage } from '../wire.js';

export interface JobSink {
  event(event: GenerationEvent): void;
  counted(bound: TokenBound): void;
  /** Who is at it now; null: nobody. */
  worker(worker: string | null): void;
}

/** What a message meant for its request. */
export type Verdict =
  | { type: 'applied' }
  | { type: 'repeated' } // it was applied before
  | { type: 'foreign' } // of an attempt that isn't this one any more, or of a second worker: it should stop
  | { type: 'gap' } // messages before it are lost
  | { type: 'ended'; usage: Usage }
  | { type: 'failed'; message: Extract<WorkerMessage, { type: 'failed' }> };

/**
 * One request in the cluster, as its gateway sees it. Of all that workers say about it, this lets through each event once
 * and in order: messages count for the current attempt and its first worker only, by their numbers.
 */
export class Job {
  readonly id: string;
  readonly progress: Progress;
  attempt = 0;
  /** Workers that it was lost with. */
  losses = 0;
  /** Null while it is on its way into the queue. */
  entry: Entry | null = null;
  queuedMs = 0; // monotonic, of this attempt
  heardMs = 0; // monotonic, from its worker
  ended = false;
  hasStarted = false;
  revision: string | null = null; // of the model that answers
  promptTokens = 0;
  cachedTokens = 0;
  readonly #sink: JobSink;
  #worker: string | null = null;
  #next = 0; // message

  constructor(id: string, prompts: number, choices: number, sink: JobSink) {
    this.id = id;
    this.progress = noProgress(prompts, choices);
    this.#sink = sink;
  }

  /** Null while nobody is at it. */
  get worker(): string | null {
    return this.#worker;
  }

  /** A new attempt: what earlier ones still say is foreign from now on. */
  begin(nowMs: number): void {
    this.attempt += 1;
    this.#isWith(null);
    this.queuedMs = nowMs;
    this.#next = 0;
  }

  get hasProgress(): boolean {
    return this.progress.prompts.some(Boolean);
  }

  get usage(): Usage {
    const completionTokens = this.progress.choices.reduce((sum, { tokens }) => sum + tokens.length, 0);
    return {
      promptTokens: this.promptTokens,
      completionTokens,
      cachedTokens: this.cachedTokens,
      nanodollars: null,
    };
  }

  isAt(worker: string, attempt: number): boolean {
    return !this.ended && attempt === this.attempt && (this.worker === null || this.worker === worker);
  }

  /** The worker says that it is at it. */
  alive(worker: string, nowMs: number): void {
    if (this.#worker === null) this.#isWith(worker);
    this.heardMs = nowMs;
  }

  accept(worker: string, message: WorkerMessage, nowMs: number): Verdict {
    if (!this.isAt(worker, message.attempt)) return { type: 'foreign' };
    this.alive(worker, nowMs);
    if (message.number < this.#next) return { type: 'repeated' };
    if (message.number > this.#next) return { type: 'gap' };
    this.#next += 1;
    switch (message.type) {
      case 'taken':
        this.revision = message.revision;
        break;
      case 'counted':
        this.#sink.counted(message.bound);
        break;
      case 'event':
        this.#pass(message.event);
        break;
      case 'ended':
        this.#isWith(null);
        return { type: 'ended', usage: message.usage };
      case 'failed':
        this.#isWith(null);
        return { type: 'failed', message };
    }
    return { type: 'applied' };
  }

  #isWith(worker: string | null): void {
    if (worker === this.#worker) return;
    this.#worker = worker;
    this.#sink.worker(worker);
  }

  /** A later attempt begins with what the client has had already. */
  #pass(event: GenerationEvent): void {
    if (event.type === 'start') {
      if (this.hasStarted) return;
      this.hasStarted = true;
    } else if (event.type === 'prompt') {
      if (this.progress.prompts[event.prompt]) return;
      this.promptTokens += event.tokens.length;
      this.cachedTokens += event.cachedTokens;
    }
    record(this.progress, event);
    this.#sink.event(event);
  }
}
