import { type Account, type Amounts, type Bound, type Hold, useOf } from './account.js';
import { type BoundUse, Refusal } from './refusal.js';
import type { Instant } from './window.js';

const nothing: Amounts = { requests: 0, tokens: 0, nanodollars: 0 };

/**
 * What one request holds of all its accounts. Each decision looks at every bound of every account first and consumes from
 * all or from none; nothing can come between, since it is synchronous. O(bounds).
 */
export class Reservation {
  readonly #accounts: readonly Account[];
  #amounts: Amounts;
  #holds: Hold[];
  #at: Instant;
  #isOpen = true;

  private constructor(accounts: readonly Account[], amounts: Amounts, now: Instant) {
    this.#accounts = accounts;
    this.#amounts = amounts;
    this.#at = now;
    this.#holds = accounts.map((account) => account.consume(amounts, now));
    for (const account of accounts) account.inFlight += 1;
  }

  static take(accounts: readonly Account[], amounts: Amounts, now: Instant): Reservation | Refusal {
    const busy = accounts.filter(
      ({ inFlight, limits }) => limits.concurrency !== null && inFlight >= limits.concurrency,
    );
    return refusalOf(accounts, amounts, busy, now) ?? new Reservation(accounts, amounts, now);
  }

  get amounts(): Amounts {
    return this.#amounts;
  }

  /** The moment at which all of it is counted. */
  get at(): Instant {
    return this.#at;
  }

  /** Every limit that stands against it. */
  bounds(now: Instant): BoundUse[] {
    return boundsOf(this.#accounts, now);
  }

  /**
   * Holds `amounts` instead of what it held. Where that is refused it holds what it did before; the caller then
   * releases it.
   */
  change(amounts: Amounts, now: Instant): Refusal | null {
    const before = this.#amounts;
    this.#correct(nothing, now);
    const refused = refusalOf(this.#accounts, amounts, [], now);
    if (refused) {
      this.#correct(before, now);
      return refused;
    }
    this.#holds = this.#accounts.map((account) => account.consume(amounts, now));
    this.#amounts = amounts;
    this.#at = now;
    return null;
  }

  /** The end: `actual` is what was used, counted at the time of the reservation. Further calls do nothing. */
  settle(actual: Amounts, now: Instant): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#correct(actual, now);
    for (const hold of this.#holds) hold.settled(actual, now);
    for (const account of this.#accounts) account.inFlight -= 1;
  }

  /** As if it had never been. */
  release(now: Instant): void {
    this.settle(nothing, now);
  }

  #correct(amounts: Amounts, now: Instant): void {
    const delta = {
      requests: amounts.requests - this.#amounts.requests,
      tokens: amounts.tokens - this.#amounts.tokens,
      nanodollars: amounts.nanodollars - this.#amounts.nanodollars,
    };
    for (const hold of this.#holds) hold.correct(delta, now);
    this.#amounts = amounts;
  }
}

function refusalOf(
  accounts: readonly Account[],
  amounts: Amounts,
  busy: readonly Account[],
  now: Instant,
): Refusal | null {
  let bounds: Bound[] | null = null;
  let waitMs = 0;
  for (const account of accounts) {
    for (const bound of account.bounds) {
      const wait = waitOf(bound, amounts[bound.unit], now);
      if (wait === 0) continue;
      bounds = [...(bounds ?? []), bound];
      waitMs = Math.max(waitMs, wait);
    }
  }
  if (bounds === null && busy.length === 0) return null;
  const refused = bounds ?? [];
  return new Refusal({
    bounds: refused.map((bound) => useOf(bound, now)),
    quota: boundsOf(accounts, now),
    busy: busy.map(({ scope, limits }) => ({ scope, concurrency: limits.concurrency! })),
    waitMs,
    standings: refused.flatMap(({ scope, unit, span }) =>
      unit === 'nanodollars' && span !== 'minute'
        ? [accounts.find((account) => account.scope === scope)!.spent(span, now)]
        : [],
    ),
  });
}

function boundsOf(accounts: readonly Account[], now: Instant): BoundUse[] {
  return accounts.flatMap(({ bounds }) => bounds.map((bound) => useOf(bound, now)));
}

/** Taking nothing is always possible, also where a limit was lowered under what is used. */
function waitOf(bound: Bound, amount: number, now: Instant): number {
  return amount === 0 ? 0 : bound.window.waitMs(amount, bound.limit, now);
}
