import type { Limits, RecentUse, ScopeTotals } from '../store/types.js';
import { Account } from './account.js';
import type { Instant } from './window.js';

/** The accounts of all scopes: as many as operators have made. */
export class Accounts {
  readonly #accounts = new Map<string, Account>();

  of(scopes: readonly string[]): Account[] {
    return scopes.map((scope) => this.get(scope));
  }

  get(scope: string): Account {
    const known = this.#accounts.get(scope);
    if (known) return known;
    const account = new Account(scope);
    this.#accounts.set(scope, account);
    return account;
  }

  all(): Iterable<Account> {
    return this.#accounts.values();
  }

  setLimits(scope: string, limits: Limits): void {
    this.get(scope).limits = limits;
  }

  restore(totals: readonly ScopeTotals[], recent: readonly RecentUse[], now: Instant): void {
    for (const total of totals) this.get(total.scope).restore(total, now);
    for (const use of recent) this.get(use.scope).restoreMinute(use, now);
  }
}
