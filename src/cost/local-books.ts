import { SluiceError } from '../errors.js';
import type { Account, Amounts } from '../limits/account.js';
import type { Accounts } from '../limits/accounts.js';
import { Refusal, type Standing } from '../limits/refusal.js';
import { Reservation } from '../limits/reservation.js';
import type { Instant } from '../limits/window.js';
import type { LedgerEntry, Limits } from '../store/types.js';
import type { Books, Hold } from './books.js';
import type { Ledger } from './ledger.js';

export interface LocalBooksOptions {
  accounts: Accounts;
  ledger: Ledger;
  now: () => Instant;
  /** Fills the accounts with what was used before; called before the first request, and again after it has failed. */
  restore: () => Promise<void>;
}

/** Accounts of this process, kept in the store. One process at a time may have them. */
export class LocalBooks implements Books {
  readonly #options: LocalBooksOptions;
  #isRestored = false;
  #restoring: Promise<void> | null = null;

  constructor(options: LocalBooksOptions) {
    this.#options = options;
  }

  limitsOf(scope: string): Limits {
    return this.#options.accounts.get(scope).limits;
  }

  setLimits(scope: string, limits: Limits): void {
    this.#options.accounts.setLimits(scope, limits);
  }

  fault(): SluiceError | null {
    if (!this.#options.ledger.isFull) return null;
    return new SluiceError('store_unavailable', "Usage can't be recorded at the moment.", {
      retryAfterSeconds: 2,
    });
  }

  take(id: string, scopes: readonly string[], amounts: Amounts): Hold | Refusal | Promise<Hold | Refusal> {
    if (!this.#isRestored) return this.restore().then(() => this.take(id, scopes, amounts));
    const { accounts, ledger, now } = this.#options;
    const own = accounts.of(scopes);
    const taken = Reservation.take(own, amounts, now());
    return taken instanceof Refusal ? taken : new LocalHold(taken, own, ledger, now);
  }

  standings(): Standing[] {
    const now = this.#options.now();
    return Array.from(this.#options.accounts.all(), (account) =>
      account.spent(account.limits.budget?.period ?? 'month', now),
    );
  }

  /** Rejects with store_unavailable where another server accounts in the same data folder. */
  restore(): Promise<void> {
    this.#restoring ??= this.#options
      .restore()
      .then(() => {
        this.#isRestored = true;
      })
      .finally(() => {
        this.#restoring = null;
      });
    return this.#restoring;
  }
}

class LocalHold implements Hold {
  readonly #reservation: Reservation;
  readonly #accounts: readonly Account[];
  readonly #ledger: Ledger;
  readonly #now: () => Instant;

  constructor(reservation: Reservation, accounts: readonly Account[], ledger: Ledger, now: () => Instant) {
    this.#reservation = reservation;
    this.#accounts = accounts;
    this.#ledger = ledger;
    this.#now = now;
  }

  get atMs(): number {
    return Math.floor(this.#reservation.at.wallMs);
  }

  bounds() {
    return this.#reservation.bounds(this.#now());
  }

  change(amounts: Amounts): Refusal | null {
    return this.#reservation.change(amounts, this.#now());
  }

  async settle(actual: Amounts, entry: LedgerEntry): Promise<Standing[]> {
    const now = this.#now();
    this.#reservation.settle(actual, now);
    const standings = this.#accounts.flatMap((account) =>
      account.limits.budget ? [account.spent(account.limits.budget.period, now)] : [],
    );
    await this.#ledger.append(entry);
    return standings;
  }

  release(): void {
    this.#reservation.release(this.#now());
  }
}
