import type { ValidatedRequest } from '../../generation/types.js';
import type { Exchange } from './sample.js';

export interface RecentExchange {
  exchange: Exchange;
  request: ValidatedRequest;
}

/**
 * The last requests of this process, for feedback that comes after them. In memory only. A ring, since every request is put into
 * it: tables that a Map has outgrown would keep what was deleted from them alive until the next full collection.
 */
export class RecentExchanges {
  readonly #max: number;
  readonly #ring: RecentExchange[] = [];
  #next = 0; // the oldest, once the ring is full

  constructor(max: number) {
    this.#max = max;
  }

  add(recent: RecentExchange): void {
    if (this.#max === 0) return;
    this.#ring[this.#next] = recent;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Null where it is forgotten, or another tenant's. O(max): people give feedback, seldom. */
  find(requestId: string, tenant: string): RecentExchange | null {
    return (
      this.#ring.find(({ exchange }) => exchange.requestId === requestId && exchange.tenant === tenant) ??
      null
    );
  }
}
