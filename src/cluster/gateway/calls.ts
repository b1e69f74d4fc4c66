import { randomUUID } from 'node:crypto';
import { SluiceError, shuttingDown } from '../../errors.js';
import { away } from '../../redis/connection.js';
import type { ArgumentOf, Order, ProcedureName, ResultOf, WorkerMessage } from '../wire.js';
import { isPassing } from './failures.js';
import type { Orders } from './orders.js';

export interface CallsOptions {
  gateway: string;
  leaseMs: number;
  maxAttempts: number;
}

/** Workers that can be called now. */
export type Workers = () => readonly string[];

interface Pending {
  id: string;
  attempt: number;
  worker: string | null; // null: none is there to be asked
  heardMs: number; // monotonic, from it; or since when there has been none
  lastFailure: SluiceError | null;
  tried: string[];
  order: Pick<Order & { type: 'call' }, 'name' | 'argument'>;
  workers: Workers;
  resolve(result: unknown): void;
  reject(error: SluiceError): void;
}

/**
 * What this gateway has workers do at once, beside their queues: each call goes to the worker with the fewest of ours, and to
 * another one where that says nothing for a lease, or can't.
 */
export class Calls {
  readonly #orders: Orders;
  readonly #options: CallsOptions;
  readonly #pending = new Map<string, Pending>();

  constructor(orders: Orders, options: CallsOptions) {
    this.#orders = orders;
    this.#options = options;
  }

  /** Rejects with what the procedure fails with, model_not_ready where no worker can be asked, cancelled, or store_unavailable. */
  async call<Name extends ProcedureName>(
    workers: Workers,
    name: Name,
    argument: ArgumentOf<Name>,
    signal?: AbortSignal,
  ): Promise<ResultOf<Name>> {
    if (signal?.aborted) throw cancelled();
    const id = `call-${randomUUID()}`;
    const result = new Promise<unknown>((resolve, reject) => {
      const order = { name, argument };
      const pending = {
        id,
        attempt: 0,
        worker: null,
        heardMs: 0,
        lastFailure: null,
        tried: [],
        order,
        workers,
      };
      this.#pending.set(id, { ...pending, resolve, reject });
      this.#next(id);
    });
    const cancel = () => this.#cancel(id);
    signal?.addEventListener('abort', cancel);
    try {
      return (await result) as ResultOf<Name>;
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Whether the message is about a call. */
  accept({ id, attempt, ...news }: WorkerMessage): boolean {
    if (news.type !== 'returned' && !this.#pending.has(id)) return false;
    const pending = this.#pending.get(id);
    if (pending?.attempt !== attempt) return true; // late
    if (news.type === 'returned') pending.resolve(news.result);
    else if (news.type === 'failed') {
      const { code, message, param, retryAfterSeconds } = news;
      this.#failed(pending, new SluiceError(code, message, { param, retryAfterSeconds }));
    }
    return true;
  }

  /** A worker is at it. False where that isn't a call of ours. */
  heard(id: string, attempt: number): boolean {
    const pending = this.#pending.get(id);
    if (pending?.attempt !== attempt) return false;
    pending.heardMs = performance.now();
    return true;
  }

  /** To be called some times a lease. Silence says nothing while nobody could be heard. */
  supervise(isDeaf: boolean): void {
    const nowMs = performance.now();
    for (const pending of this.#pending.values())
      if (isDeaf) pending.heardMs = nowMs;
      else if (pending.worker === null && pending.workers().length > 0) this.#next(pending.id);
      else if (nowMs - pending.heardMs > this.#options.leaseMs) this.#giveUp(pending);
  }

  close(): void {
    for (const { reject } of this.#pending.values()) reject(shuttingDown());
  }

  #giveUp(pending: Pending): void {
    if (pending.worker === null) pending.reject(pending.lastFailure ?? nobody());
    else this.#failed(pending, silent());
  }

  #failed(pending: Pending, error: SluiceError): void {
    pending.lastFailure = error;
    if (isPassing(error.code)) this.#next(pending.id);
    else pending.reject(error);
  }

  /** Asks a worker, one that hasn't been asked yet if there is one. Where none is there, one may come within a lease. */
  #next(id: string): void {
    const pending = this.#pending.get(id)!;
    const { tried, order, lastFailure } = pending;
    if (lastFailure !== null && tried.length >= this.#options.maxAttempts) {
      pending.reject(lastFailure);
      return;
    }
    const worker = this.#choose(pending);
    pending.worker = worker;
    pending.heardMs = performance.now();
    if (worker === null) return;
    tried.push(worker);
    pending.attempt += 1;
    const { attempt } = pending;
    this.#orders
      .send(worker, { type: 'call', id, attempt, gateway: this.#options.gateway, ...order })
      .catch(() => pending.reject(away()));
  }

  #choose({ workers, tried }: Pending): string | null {
    const ours = [...this.#pending.values()].map(({ worker }) => worker);
    const ranked = workers().map((worker) => ({
      worker,
      tries: timesIn(tried, worker),
      load: timesIn(ours, worker),
    }));
    ranked.sort((a, b) => a.tries - b.tries || a.load - b.load);
    return ranked[0]?.worker ?? null;
  }

  #cancel(id: string): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    const { worker, attempt } = pending;
    if (worker !== null) this.#orders.cancel(worker, id, attempt);
    pending.reject(cancelled());
  }
}

function timesIn(names: readonly (string | null)[], name: string): number {
  return names.filter((each) => each === name).length;
}

function cancelled(): SluiceError {
  return new SluiceError('cancelled', 'The client has gone.');
}

function silent(): SluiceError {
  return new SluiceError('model_not_ready', 'The worker did not answer.', { retryAfterSeconds: 2 });
}

function nobody(): SluiceError {
  return new SluiceError('model_not_ready', 'No worker of this model is there.', { retryAfterSeconds: 5 });
}
