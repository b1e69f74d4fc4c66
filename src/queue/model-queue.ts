import { SluiceError } from '../errors.js';
import { FairPlaces } from '../support/fair-share.js';
import { Pace } from '../support/pace.js';
import { steadyNowMs } from '../support/steady-clock.js';
import { type Waiter, WaitLine } from './wait-line.js';

export interface QueueLimits {
  maxRunning: number; // requests at the model at once
  maxWaiting: number;
  waitTimeoutMs: number;
  priorityStepMs: number; // head start of a priority over the next
}

export interface QueueEntry {
  id: string;
  tenant: string;
  priority: number;
  deadlineMs: number; // by the steady clock
  signal: AbortSignal;
  /** Told once, where the request must wait. */
  onWait(position: number, estimateMs: number): void;
}

export interface QueuedRequest {
  id: string;
  priority: number;
  position: number; // 1 is next
  waitedMs: number;
  estimateMs: number;
}

interface Waiting extends Waiter {
  admit(): void;
}

const LONGEST_RETRY_SECONDS = 60;

/** One organisation beside others has 4/5 of the places at most: a newcomer reaches the model at once, whose own places decide. */
const SHARE_OF_FREE = 4;

/**
 * The queue in front of one model: so many requests run, so many wait, the rest is refused. Who waits too long, is
 * cancelled or past its deadline leaves the line at once, before any of it is computed.
 */
export class ModelQueue {
  readonly #limits: QueueLimits;
  readonly #now: () => number;
  readonly #line: WaitLine<Waiting>;
  readonly #departures = new Pace(1_000);
  #maxRunning: number;
  #guests = 0;
  readonly #places = new FairPlaces(SHARE_OF_FREE);
  #arrivals = 0;

  constructor(limits: QueueLimits, now: () => number = steadyNowMs) {
    this.#limits = limits;
    this.#maxRunning = limits.maxRunning;
    this.#now = now;
    this.#line = new WaitLine(limits.priorityStepMs);
  }

  get running(): number {
    return this.#places.total;
  }

  get waiting(): number {
    return this.#line.size;
  }

  get maxRunning(): number {
    return this.#maxRunning;
  }

  /** Nobody waits, and whoever takes a place now leaves one to who comes next. */
  get hasSpare(): boolean {
    return this.waiting === 0 && (this.running === 0 || this.running + 1 < this.#maxRunning);
  }

  /** Time until somebody who came now would be served. */
  get estimateMs(): number {
    return this.running < this.#maxRunning ? 0 : this.#departures.msFor(this.#line.size + 1);
  }

  list(): QueuedRequest[] {
    const now = this.#now();
    return this.#line.list().map(({ id, priority, arrivedMs }, index) => ({
      id,
      priority,
      position: index + 1,
      waitedMs: now - arrivedMs,
      estimateMs: this.#departures.msFor(index + 1),
    }));
  }

  /** O(n log n): asked by people, and by clients that poll. */
  find(id: string): QueuedRequest | null {
    return this.list().find((request) => request.id === id) ?? null;
  }

  /** Takes a place where one is free for this tenant and nobody waits. Whoever has a place gives it back by leave(). */
  tryEnter(tenant: string): boolean {
    if (this.#line.size > 0 || !this.#mayTake(tenant, 1)) return false;
    this.#places.take(tenant, this.#now());
    return true;
  }

  /**
   * Resolves with a place. Rejects with queue_full, inference_timeout, deadline_exceeded, or `cancelled` where the signal
   * is aborted.
   */
  enter(entry: QueueEntry): Promise<void> {
    if (this.tryEnter(entry.tenant)) return Promise.resolve();
    if (entry.signal.aborted) return Promise.reject(cancelled());
    if (this.#line.size >= this.#limits.maxWaiting) return Promise.reject(this.#full());
    return this.#wait(entry);
  }

  leave(tenant: string): void {
    const now = this.#now();
    this.#departures.mark(now);
    this.#places.leave(tenant, now);
    this.#admit();
  }

  /** Another number of places, and of those beyond them for who waits with one request; who has one keeps it. */
  resize(maxRunning: number, guests: number): void {
    this.#maxRunning = maxRunning;
    this.#guests = guests;
    this.#admit();
  }

  #admit(): void {
    while (this.running < this.#maxRunning + this.#guests) {
      const next = this.#line.next((tenant, waiting) => this.#mayTake(tenant, waiting));
      if (!next) return;
      this.#places.take(next.tenant, this.#now());
      next.admit();
    }
  }

  #mayTake(tenant: string, waiting: number): boolean {
    if (this.#places.mayTake(tenant, this.#maxRunning, this.#now())) return true;
    return waiting === 1 && this.#places.mayBeGuest(tenant, this.#maxRunning + this.#guests);
  }

  #wait({ id, tenant, priority, deadlineMs, signal, onWait }: QueueEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      const arrivedMs = this.#now();
      const giveUp = (error: SluiceError) => {
        this.#line.remove(waiting);
        stop();
        reject(error);
      };
      const onAbort = () => giveUp(cancelled());
      const untilDeadlineMs = deadlineMs - arrivedMs;
      const timer = setTimeout(
        () => giveUp(untilDeadlineMs <= this.#limits.waitTimeoutMs ? pastDeadline() : this.#timedOut()),
        Math.max(0, Math.min(untilDeadlineMs, this.#limits.waitTimeoutMs)),
      );
      const stop = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      let isAdmitted = false;
      const admit = () => {
        isAdmitted = true;
        stop();
        resolve();
      };
      const number = this.#arrivals++;
      const waiting: Waiting = { id, tenant, priority, arrivedMs, number, heapIndex: -1, admit };
      this.#line.add(waiting);
      this.#admit(); // the others may all wait for places that are kept for such as this one
      if (isAdmitted) return;
      signal.addEventListener('abort', onAbort);
      const position = this.#line.position(waiting);
      onWait(position, this.#departures.msFor(position));
    });
  }

  #full(): SluiceError {
    const count = this.running + this.#line.size;
    return new SluiceError('queue_full', `${count} requests for this model are in progress.`, {
      retryAfterSeconds: this.#departures.secondsFor(this.#line.size, LONGEST_RETRY_SECONDS),
    });
  }

  #timedOut(): SluiceError {
    const message = `The request waited ${this.#limits.waitTimeoutMs} ms for the model and wasn't served.`;
    return new SluiceError('inference_timeout', message, {
      retryAfterSeconds: this.#departures.secondsFor(this.#line.size, LONGEST_RETRY_SECONDS),
    });
  }
}

function cancelled(): SluiceError {
  return new SluiceError('cancelled', 'The request was cancelled while it waited.');
}

function pastDeadline(): SluiceError {
  return new SluiceError('deadline_exceeded', "The request's deadline passed while it waited.");
}
