import type { Caller } from '../auth/caller.js';
import { SluiceError } from '../errors.js';
import { Refusal } from '../limits/refusal.js';
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
  /** Why nobody with a key is let in at the moment; null: they are. */
  fault(): SluiceError | null;
}

const unmetered: Admission = {
  reserve: () => undefined,
  quota: () => ({}),
  settle: () => Promise.resolve(null),
};

/** For servers without keys. */
export const noAccounting: Accounting = { admit: () => Promise.resolve(unmetered), fault: () => null };

export interface KeyAccountingOptions extends AdmissionOptions {
  capacity: number; // requests that may run or wait here; shared between the tenants that are there
}

/** Requests of keys, on the books. */
export class KeyAccounting implements Accounting {
  readonly #options: KeyAccountingOptions;
  readonly #scopesOfCallers = new WeakMap<Caller, string[]>();
  readonly #inFlightOf = new Map<string, number>(); // by tenant
  #inFlight = 0;

  constructor(options: KeyAccountingOptions) {
    this.#options = options;
  }

  async admit({ id, caller, tokens }: Expected): Promise<Admission> {
    if (caller.keyId === null) return unmetered;
    const fault = this.fault();
    if (fault) throw fault;
    this.#refuseGreed(caller.tenant);
    const amounts = { requests: 1, tokens, nanodollars: 0 };
    const end = this.#begin(caller.tenant);
    try {
      const taken = this.#options.books.take(id, this.#scopesOf(caller), amounts);
      const hold = taken instanceof Promise ? await taken : taken;
      if (hold instanceof Refusal) throw refused(this.#options, hold, amounts);
      return new KeyAdmission(this.#options, id, caller, hold, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  fault(): SluiceError | null {
    return this.#options.books.fault();
  }

  #begin(tenant: string): () => void {
    this.#count(tenant, 1);
    return () => this.#count(tenant, -1);
  }

  #count(tenant: string, change: number): void {
    this.#inFlight += change;
    const inFlight = (this.#inFlightOf.get(tenant) ?? 0) + change;
    if (inFlight > 0) this.#inFlightOf.set(tenant, inFlight);
    else this.#inFlightOf.delete(tenant);
  }

  #refuseGreed(tenant: string): void {
    const own = this.#inFlightOf.get(tenant) ?? 0;
    if (mayEnter(own, this.#inFlight, this.#options.capacity)) return;
    const message = `${own} requests of this organisation run or wait; what is free is for others.`;
    throw new SluiceError('queue_full', message, { retryAfterSeconds: 1 });
  }

  #scopesOf(caller: Caller): string[] {
    const known = this.#scopesOfCallers.get(caller);
    if (known) return known;
    const { tenant: organisation, team, user } = caller;
    const scopes = scopesOf({ keyId: caller.keyId!, organisation, team, user });
    this.#scopesOfCallers.set(caller, scopes);
    return scopes;
  }
}
