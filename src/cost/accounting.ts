import type { Caller } from '../auth/caller.js';
import { SluiceError } from '../errors.js';
import type { Account } from '../limits/account.js';
import type { Accounts } from '../limits/accounts.js';
import { Reservation } from '../limits/reservation.js';
import { scopesOf } from '../store/types.js';
import { mayEnter } from '../support/fair-share.js';
import { type Admission, type AdmissionOptions, KeyAdmission, refused } from './admission.js';

/** What a request is expected to take before its prompt has been counted: at least so much. */
export interface Expected {
  id: string;
  caller: Caller;
  tokens: number;
}

/** Limits and budgets of all callers. */
export interface Accounting {
  /** Counts the request against every window of its caller, or against none. Rejects as {@link Admission.reserve} throws. */
  admit(expected: Expected): Promise<Admission>;
}

const unmetered: Admission = {
  reserve: () => undefined,
  quota: () => ({}),
  settle: () => Promise.resolve(null),
};

/** For servers without keys. */
export const noAccounting: Accounting = { admit: () => Promise.resolve(unmetered) };

export interface KeyAccountingOptions extends AdmissionOptions {
  accounts: Accounts;
  capacity: number; // requests that may run or wait; shared between the tenants that are there
  /** Fills the accounts with what was used before; called before the first admission, and again after it has failed. */
  restore: () => Promise<void>;
}

/** Accounts of this process, kept in the store. One process at a time may have them. */
export class KeyAccounting implements Accounting {
  readonly #options: KeyAccountingOptions;
  readonly #accountsOfKeys = new WeakMap<Caller, Account[]>();
  #inFlight = 0;
  #isRestored = false;
  #restoring: Promise<void> | null = null;

  constructor(options: KeyAccountingOptions) {
    this.#options = options;
  }

  async admit({ id, caller, tokens }: Expected): Promise<Admission> {
    if (caller.keyId === null) return unmetered;
    if (!this.#isRestored) await this.restore();
    const { ledger, now } = this.#options;
    if (ledger.isFull) {
      throw new SluiceError('store_unavailable', "Usage can't be recorded at the moment.", {
        retryAfterSeconds: 2,
      });
    }
    const accounts = this.#accountsOf(caller);
    this.#refuseGreed(accounts.at(-1)!);
    const amounts = { requests: 1, tokens, nanodollars: 0 };
    const at = now();
    const taken = Reservation.take(accounts, amounts, at);
    if (!(taken instanceof Reservation)) throw refused(this.#options, accounts, taken, amounts, at);
    this.#inFlight += 1;
    const onEnd = () => {
      this.#inFlight -= 1;
    };
    return new KeyAdmission(this.#options, id, caller, accounts, taken, onEnd);
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

  #refuseGreed(tenant: Account): void {
    if (mayEnter(tenant.inFlight, this.#inFlight, this.#options.capacity)) return;
    const message = `${tenant.inFlight} requests of this organisation run or wait; what is free is for others.`;
    throw new SluiceError('queue_full', message, { retryAfterSeconds: 1 });
  }

  #accountsOf(caller: Caller): Account[] {
    const known = this.#accountsOfKeys.get(caller);
    if (known) return known;
    const { tenant: organisation, team, user } = caller;
    const accounts = this.#options.accounts.of(scopesOf({ keyId: caller.keyId!, organisation, team, user }));
    this.#accountsOfKeys.set(caller, accounts);
    return accounts;
  }
}
