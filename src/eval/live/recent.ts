import type { EndedExchange } from './sample.js';

/**
 * The last exchanges of this process, for feedback that comes after them. In memory only. A ring, since every request is put into
 * it: tables that a Map has outgrown would keep what was deleted from them alive until the next full collection.
 */
export class RecentExchanges {
  readonly #max: number;
  readonly #ring: EndedExchange[] = [];
  #next = 0; // the oldest, once the ring is full

  constructor(max: number) {
    this.#max = max;
  }

  add(exchange: EndedExchange): void {
    if (this.#max === 0) return;
    this.#ring[this.#next] = exchange;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Null where it is forgotten, or another tenant's. O(max): people give feedback, seldom. */
  find(requestId: string, tenant: string): EndedExchange | null {
    const isIt = (exchange: EndedExchange) => exchange.requestId === requestId && exchange.tenant === tenant;
    return this.#ring.find(isIt) ?? null;
  }
}
