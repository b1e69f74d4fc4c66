import { SluiceError, toSluiceError } from '../../errors.js';
import type { RedisLink } from '../../redis/link.js';
import type { Call, ProcedureName, Procedures, WorkerNews } from '../wire.js';
import { failure } from './failure.js';
import { Outboxes } from './outboxes.js';

interface Running {
  call: Call;
  stop: AbortController;
}

/** Does what gateways call this worker for, and says that it is at it until it is done. */
export class CallServer {
  readonly #outboxes: Outboxes;
  readonly #procedures: Partial<Procedures>;
  readonly #running = new Map<string, Running>();
  #onIdle: (() => void)[] = [];

  constructor(worker: string, redis: RedisLink, procedures: Partial<Procedures>) {
    this.#outboxes = new Outboxes(worker, redis, (gateway) => this.#gatewayGone(gateway));
    this.#procedures = procedures;
  }

  /** Nothing is thrown: what it comes to is said to the gateway. */
  async take(call: Call): Promise<void> {
    const name = nameOf(call);
    const stop = new AbortController();
    this.#running.set(name, { call, stop });
    const news = await this.#done(call, stop.signal);
    this.#running.delete(name);
    const { id, attempt, gateway } = call;
    if (!stop.signal.aborted) this.#outboxes.to(gateway).push({ id, attempt, number: 0, ...news });
    if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  cancel(call: Pick<Call, 'id' | 'attempt'>): void {
    this.#running.get(nameOf(call))?.stop.abort();
  }

  sayAlive(): void {
    const gateways = new Set<string>();
    for (const { call } of this.#running.values()) gateways.add(call.gateway);
    for (const gateway of gateways) {
      const theirs = [...this.#running.values()].filter(({ call }) => call.gateway === gateway);
      this.#outboxes.to(gateway).sayAlive(theirs.map(({ call: { id, attempt } }) => ({ id, attempt })));
    }
    this.#outboxes.keepOnly(gateways);
  }

  /** Resolves when nothing is under way and all is said, at the latest after the time. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.#running.size > 0)
      await Promise.race([
        new Promise<void>((resolve) => this.#onIdle.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, timeoutMs).unref()),
      ]);
    await this.#outboxes.flushed();
  }

  /** Gives up what is under way. */
  close(): void {
    for (const { stop } of this.#running.values()) stop.abort();
  }

  async #done({ name, argument }: Call, signal: AbortSignal): Promise<WorkerNews> {
    try {
      const procedure = this.#procedures[name] as
        | ((argument: unknown, signal: AbortSignal) => Promise<unknown>)
        | undefined;
      if (procedure === undefined) throw unable(name);
      return { type: 'returned', result: await procedure(argument, signal) };
    } catch (error) {
      return failure(toSluiceError(error));
    }
  }

  #gatewayGone(gateway: string): void {
    for (const { call, stop } of this.#running.values()) if (call.gateway === gateway) stop.abort();
  }
}

function nameOf({ id, attempt }: Pick<Call, 'id' | 'attempt'>): string {
  return `${id} ${attempt}`;
}

function unable(name: ProcedureName): SluiceError {
  return new SluiceError('model_not_ready', `The worker has no ${name}.`);
}
