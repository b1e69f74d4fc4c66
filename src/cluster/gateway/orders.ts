import type { RedisLink } from '../../redis/link.js';
import { pack } from '../../redis/packing.js';
import type { Order } from '../wire.js';

/** What this gateway has workers do at once, beside their queues. */
export class Orders {
  readonly #redis: RedisLink;
  readonly #cancelled = new Set<string>(); // since the last round

  constructor(redis: RedisLink) {
    this.#redis = redis;
  }

  async send(worker: string, order: Order): Promise<void> {
    const channel = this.#redis.keys.orders(worker);
    await this.#redis.commands.send(channel, ['PUBLISH', channel, pack(order)]);
  }

  /** Sent at most once a round: workers repeat themselves, and are told again in the next one. */
  cancel(worker: string, id: string, attempt: number): void {
    const name = `${worker} ${id} ${attempt}`;
    if (this.#cancelled.has(name)) return;
    this.#cancelled.add(name);
    this.send(worker, { type: 'cancel', id, attempt }).catch(() => undefined);
  }

  beginRound(): void {
    this.#cancelled.clear();
  }
}
