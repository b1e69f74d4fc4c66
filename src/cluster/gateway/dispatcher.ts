import type { TokenBound } from '../../cost/tab.js';
import { SluiceError, shuttingDown, toSluiceError } from '../../errors.js';
import type { GenerationEvent, Usage, ValidatedRequest } from '../../generation/types.js';
import { away } from '../../redis/connection.js';
import type { RedisLink } from '../../redis/link.js';
import { pack } from '../../redis/packing.js';
import { steadyNowMs } from '../../support/steady-clock.js';
import type { Placement } from '../placement/placement.js';
import type { DeadLetters } from '../queue/dead-letters.js';
import type { Entry, OwnedEntry, QueuedWork, WorkQueue } from '../queue/work-queue.js';
import { type Batch, sequencesOf, type WorkerMessage, workOf } from '../wire.js';
import { Burials } from './burials.js';
import { Calls } from './calls.js';
import { isOfWorker, isPassing, lostForGood, pastDeadline, queueFull, waitedTooLong } from './failures.js';
import { Job, type Verdict } from './job.js';
import { Orders } from './orders.js';
import { Results } from './results.js';
import { lostJobs } from './supervision.js';

export interface DispatcherOptions {
  id: string; // of this gateway, unique
  leaseMs: number;
  maxAttempts: number; // workers that may lose a request
  waitTimeoutMs: number;
  onFault: (message: string, details: { request: string; reason: string; [more: string]: unknown }) => void;
}

export interface Task {
  queue: WorkQueue;
  dead: DeadLetters | null; // null: it is a dead letter already
  request: ValidatedRequest;
  placement: Placement; // of the first attempt
  sink: (event: GenerationEvent) => void;
  onCounted: (bound: TokenBound) => void;
  signal: AbortSignal;
  trace: readonly string[]; // headers
  /** Told how many waited before it. */
  onQueued: (waiting: number) => void;
}

/** A job and what waits for it. */
export interface Active {
  readonly job: Job;
  readonly task: Task;
  /** Its entry couldn't be written: Redis was away. */
  isUnplaced: boolean;
  replaces: Entry | null;
  end(result: () => Usage): void;
  waitTimer: NodeJS.Timeout | undefined;
}

const MAX_ATTEMPTS = 100; // for whatever reason
const PAST_DEADLINE_MS = 500; // the worker's own end comes first
const RETRY_PAUSE_MS = 50;

/**
 * This gateway's requests in the cluster. It alone decides about them: which attempt counts, when a worker has lost one and
 * another goes on from what the client has, and when one is taken out. All that is in Redis is on the way to somebody.
 */
export class Dispatcher {
  readonly calls: Calls;
  readonly #redis: RedisLink;
  readonly #options: DispatcherOptions;
  readonly #results: Results;
  readonly #orders: Orders;
  readonly #active = new Map<string, Active>();
  readonly #burials: Burials;
  readonly #supervision: NodeJS.Timeout;
  #supervisedMs = performance.now();
  #isSupervising = false;
  #count = 0;

  constructor(redis: RedisLink, options: DispatcherOptions) {
    this.#redis = redis;
    this.#options = options;
    const { id: gateway, leaseMs, maxAttempts } = options;
    this.#orders = new Orders(redis);
    this.#burials = new Burials((request, reason) =>
      options.onFault('a dead letter could not be kept', { request, reason }),
    );
    this.calls = new Calls(this.#orders, { gateway, leaseMs, maxAttempts });
    this.#results = new Results(options.id, redis, options.leaseMs, {
      batch: (batch) => this.#take(batch),
      lost: () => this.#startOver(),
    });
    this.#supervision = setInterval(() => void this.#supervise(), options.leaseMs / 4).unref();
  }

  get id(): string {
    return this.#options.id;
  }

  get inFlight(): number {
    return this.#active.size;
  }

  open(): Promise<void> {
    return this.#results.open();
  }

  async close(): Promise<void> {
    clearInterval(this.#supervision);
    for (const active of this.#active.values()) this.#fail(active, shuttingDown());
    this.calls.close();
    await this.#burials.ended();
    await this.#results.close();
  }

  /** Resolves when the answer is complete, and as cancelled when the signal aborts. Rejects with what ended it. */
  submit(task: Task): Promise<Usage> {
    const { request, placement, sink: event, onCounted: counted } = task;
    const worker = (id: string | null) => placement.moved(id);
    const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
    const job = new Job(`${request.id}#${this.#count++}`, prompts, request.choices, {
      event,
      counted,
      worker,
    });
    return new Promise((resolve, reject) => {
      const end = (result: () => Usage) => {
        if (job.ended) return;
        job.ended = true;
        this.#active.delete(job.id);
        clearTimeout(active.waitTimer);
        clearTimeout(deadline);
        task.signal.removeEventListener('abort', cancel);
        void this.#forget(active);
        try {
          resolve(result());
        } catch (error) {
          reject(error);
        }
      };
      const active: Active = { job, task, isUnplaced: false, replaces: null, end, waitTimer: undefined };
      const cancel = () => this.#cancel(active);
      const deadline = setTimeout(
        () => this.#fail(active, pastDeadline()),
        Math.max(0, request.deadlineMs - steadyNowMs()) + PAST_DEADLINE_MS,
      );
      this.#active.set(job.id, active);
      task.signal.addEventListener('abort', cancel);
      if (task.signal.aborted) cancel();
      else void this.#begin(active, placement.stream);
    });
  }

  /** Whether an entry of this gateway's is of no use any more. */
  isAbandoned({ entry, request, gateway }: OwnedEntry): boolean {
    if (gateway !== this.#options.id) return false;
    const job = this.#active.get(request)?.job;
    return job === undefined || (job.entry !== null && job.entry.id !== entry.id);
  }

  /** A new attempt. The first one fails where it can't be queued; later ones are the gateway's to bring about. */
  async #begin(active: Active, stream: string): Promise<void> {
    const { job, task } = active;
    const isFirst = job.attempt === 0;
    if (!active.isUnplaced) active.replaces = job.entry;
    job.entry = null;
    job.begin(performance.now());
    active.isUnplaced = false;
    if (!isFirst) task.placement.moved(null);
    clearTimeout(active.waitTimer);
    active.waitTimer = setTimeout(() => this.#waitedTooLong(active), this.#options.waitTimeoutMs);
    const { attempt } = job;
    try {
      const homes = isFirst ? task.placement.homes : [];
      const { entry, waiting } = await task.queue.put(stream, this.#workOf(active), active.replaces, homes);
      if (entry === null) return this.#fail(active, queueFull(waiting));
      if (job.ended || job.attempt !== attempt) return await task.queue.remove(entry, job.id);
      job.entry = entry;
      if (!isFirst) return;
      task.placement.queuedIn(entry.stream);
      task.onQueued(waiting);
    } catch {
      if (job.ended || job.attempt !== attempt) return;
      if (isFirst) this.#fail(active, away());
      else active.isUnplaced = true;
    }
  }

  #workOf({ job, task: { request, trace, placement } }: Active): QueuedWork {
    const progress = job.hasProgress ? job.progress : null;
    return {
      request: job.id,
      gateway: this.#options.id,
      attempt: job.attempt,
      sequences: sequencesOf(request),
      waitMs: this.#options.waitTimeoutMs,
      deadlineMs: Math.max(1, request.deadlineMs - steadyNowMs()),
      conversation: placement.conversation,
      body: pack(workOf({ ...request, id: job.id }, progress, job.revision, trace)),
    };
  }

  #take({ worker, messages, alive = [] }: Batch): void {
    const nowMs = performance.now();
    for (const message of messages) if (!this.calls.accept(message)) this.#accept(worker, message, nowMs);
    for (const { id, attempt } of alive) {
      if (this.calls.heard(id, attempt)) continue;
      const job = this.#active.get(id)?.job;
      if (job?.isAt(worker, attempt)) job.alive(worker, nowMs);
      else this.#orders.cancel(worker, id, attempt);
    }
  }

  #accept(worker: string, message: WorkerMessage, nowMs: number): void {
    const { id, attempt } = message;
    const active = this.#active.get(id);
    if (!active) {
      if (message.type !== 'ended' && message.type !== 'failed') this.#orders.cancel(worker, id, attempt);
      return;
    }
    try {
      this.#follow(active, active.job.accept(worker, message, nowMs), worker, message);
      if (active.job.worker !== null) clearTimeout(active.waitTimer);
    } catch (error) {
      this.#fail(active, toSluiceError(error)); // such as a budget that the prompt, now counted, doesn't fit
    }
  }

  #follow(active: Active, verdict: Verdict, worker: string, { id, attempt }: WorkerMessage): void {
    switch (verdict.type) {
      case 'ended':
        active.end(() => verdict.usage);
        break;
      case 'failed':
        this.#failedAt(active, verdict.message);
        break;
      case 'foreign':
        this.#orders.cancel(worker, id, attempt);
        break;
      case 'gap':
        this.#again(active, 'messages of it were lost', false);
    }
  }

  #failedAt(active: Active, failure: Extract<WorkerMessage, { type: 'failed' }>): void {
    const { code, message, param, retryAfterSeconds } = failure;
    if (!isOfWorker(code)) {
      this.#fail(active, new SluiceError(code, message, { param, retryAfterSeconds }));
      return;
    }
    const { attempt } = active.job;
    setTimeout(() => {
      if (active.job.attempt === attempt) this.#again(active, `${code}: ${message}`, !isPassing(code));
    }, RETRY_PAUSE_MS);
  }

  /** Another worker goes on from what the client has. */
  #again(active: Active, reason: string, isLoss: boolean): void {
    const { job, task } = active;
    if (job.ended) return;
    if (job.worker !== null) this.#orders.cancel(job.worker, job.id, job.attempt);
    if (isLoss) job.losses += 1;
    const goesOn = job.losses < this.#options.maxAttempts && job.attempt < MAX_ATTEMPTS;
    const fate = task.dead === null ? 'a request is lost again' : 'a request becomes a dead letter';
    this.#options.onFault(goesOn ? 'a request goes to another worker' : fate, {
      request: job.id,
      model: task.queue.model,
      worker: job.worker,
      attempt: job.attempt,
      reason,
    });
    if (goesOn) {
      void this.#begin(active, task.queue.shared(task.request.priority));
      return;
    }
    if (task.dead !== null) this.#burials.begin(task.dead, this.#workOf(active), reason);
    this.#fail(active, lostForGood(job.losses));
  }

  /** What was in Redis may be gone. What workers have said since is asked for again. */
  #startOver(): void {
    for (const active of this.#active.values()) this.#again(active, 'Redis had lost it', false);
  }

  async #supervise(): Promise<void> {
    if (this.#isSupervising) return;
    this.#isSupervising = true;
    const { leaseMs } = this.#options;
    const nowMs = performance.now();
    const wasAsleep = nowMs - this.#supervisedMs > leaseMs / 2;
    this.#supervisedMs = nowMs;
    this.#orders.beginRound();
    try {
      // Silence says nothing about workers while nobody could be heard.
      const isDeaf =
        wasAsleep || this.#redis.commands.upForMs < leaseMs || this.#redis.reader.upForMs < leaseMs;
      for (const active of this.#active.values()) {
        if (isDeaf) active.job.heardMs = nowMs;
        if (active.isUnplaced && !isDeaf)
          await this.#begin(active, active.task.queue.shared(active.task.request.priority));
      }
      this.calls.supervise(isDeaf);
      if (isDeaf) return;
      for (const { active, reason, isLoss } of await lostJobs(this.#active.values(), nowMs, leaseMs))
        this.#again(active, reason, isLoss);
    } catch {
      // Redis is away; the next time may succeed.
    } finally {
      this.#isSupervising = false;
    }
  }

  #waitedTooLong(active: Active): void {
    this.#fail(active, waitedTooLong(this.#options.waitTimeoutMs));
  }

  #fail(active: Active, error: SluiceError): void {
    active.end(() => {
      throw error;
    });
  }

  #cancel(active: Active): void {
    const { job, task } = active;
    active.end(() => {
      for (const [choice, { ended }] of job.progress.choices.entries())
        if (!ended) task.sink({ type: 'done', choice, finishReason: 'cancelled', stopSequence: null });
      return job.usage;
    });
  }

  /** Nobody needs it any more: neither the queue nor a worker. */
  async #forget({ job, task }: Active): Promise<void> {
    if (job.worker !== null) this.#orders.cancel(job.worker, job.id, job.attempt);
    if (job.entry === null) return; // who puts it will see
    await task.queue.remove(job.entry, job.id).catch(() => undefined); // else it is swept up
  }
}
