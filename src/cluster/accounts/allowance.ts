import type { Amounts } from '../../limits/account.js';

/** What a gateway may let in by itself while Redis is away; by default nothing. */
export class Allowance {
  readonly #limit: Amounts;
  #left: Amounts;

  constructor(limit: Amounts) {
    this.#limit = limit;
    this.#left = limit;
  }

  get isNone(): boolean {
    return this.#limit.requests === 0;
  }

  get isUsedUp(): boolean {
    return this.#left.requests === 0;
  }

  /** Takes from what is left, or takes nothing. What a request gives back doesn't come back. */
  grant(more: Amounts): boolean {
    const left = {
      requests: this.#left.requests - more.requests,
      tokens: this.#left.tokens - Math.max(0, more.tokens),
      nanodollars: this.#left.nanodollars - Math.max(0, more.nanodollars),
    };
    if (Math.min(left.requests, left.tokens, left.nanodollars) < 0) return false;
    this.#left = left;
    return true;
  }

  /** Redis has answered: the next time it is away is another. */
  renew(): void {
    this.#left = this.#limit;
  }
}
