import type { RedisLink } from '../../redis/link.js';
import { Outbox } from './outbox.js';

/** One outbox for each gateway that this worker has requests of. */
export class Outboxes {
  readonly #redis: RedisLink;
  readonly #worker: string;
  readonly #onGone: (gateway: string) => void;
  readonly #byGateway = new Map<string, Outbox>();

  constructor(worker: string, redis: RedisLink, onGone: (gateway: string) => void) {
    this.#redis = redis;
    this.#worker = worker;
    this.#onGone = onGone;
  }

  to(gateway: string): Outbox {
    const known = this.#byGateway.get(gateway);
    if (known) return known;
    const outbox = new Outbox(gateway, this.#worker, this.#redis, () => {
      this.#byGateway.delete(gateway);
      this.#onGone(gateway);
    });
    this.#byGateway.set(gateway, outbox);
    return outbox;
  }

  /** Forgets those that nobody needs. */
  keepOnly(gateways: ReadonlySet<string>): void {
    for (const gateway of this.#byGateway.keys()) if (!gateways.has(gateway)) this.#byGateway.delete(gateway);
  }

  async flushed(): Promise<void> {
    await Promise.all([...this.#byGateway.values()].map((outbox) => outbox.flushed()));
  }
}
