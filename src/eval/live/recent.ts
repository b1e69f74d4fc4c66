import type { ValidatedRequest } from '../../generation/types.js';
import type { Exchange } from './sample.js';

export interface RecentExchange {
  exchange: Exchange;
  request: ValidatedRequest;
}

/** The last requests of this process, for feedback that comes after them. In memory only. */
export class RecentExchanges {
  readonly #max: number;
  readonly #byId = new Map<string, RecentExchange>(); // oldest first

  constructor(max: number) {
    this.#max = max;
  }

  add(recent: RecentExchange): void {
    if (this.#max === 0) return;
    this.#byId.set(recent.exchange.requestId, recent);
    if (this.#byId.size > this.#max) this.#byId.delete(this.#byId.keys().next().value!);
  }

  /** Null where it is forgotten, or another tenant's. */
  find(requestId: string, tenant: string): RecentExchange | null {
    const recent = this.#byId.get(requestId);
    return recent?.exchange.tenant === tenant ? recent : null;
  }
}
