import type { Caller } from '../auth/caller.js';
import { SluiceError } from '../errors.js';
import type { Account, Amounts } from '../limits/account.js';
import type { Accounts } from '../limits/accounts.js';
import { mayEnter } from '../limits/fair-share.js';
import { quotaHeaders } from '../limits/quota-headers.js';
import { refusalError } from '../limits/refusal-error.js';
import { type Refusal, Reservation } from '../limits/reservation.js';
import type { Instant } from '../limits/window.js';
import { type LedgerEntry, scopesOf } from '../store/types.js';
import type { BudgetAlerts } from './budget-alerts.js';
import type { Ledger } from './ledger.js';
import { costOf, maxCostOf, type Price, type PriceTable, type TokenCounts } from './prices.js';

/** What a request is expected to take before its prompt has been counted: at least so much. */
export interface Expected {
  id: string;
  caller: Caller;
  tokens: number;
}

/** What a request may take at most, when its prompt has been counted. */
export interface Bill {
  model: string;
  isLocal: boolean;
  promptTokens: number;
  maxCompletionTokens: number;
}

export interface Outcome {
  counts: TokenCounts;
  finishReason: string; // or the code of an error
  cacheLevel: string | null;
  guardResult: string | null;
}

/** A request that was let in. It ends exactly once, by settle() or by a refusal of reserve(). */
export interface Admission {
  /** Holds what the request may take at most. Throws rate_limit_exceeded, insufficient_quota or request_too_large. */
  reserve(bill: Bill): void;
  /** What is left of the caller's limits, as headers. */
  quota(): Record<string, string>;
  /**
   * Gives back what wasn't used. Resolves with the cost in nanodollars when it is kept; null where nothing is accounted.
   */
  settle(outcome: Outcome): Promise<number | null>;
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

export interface KeyAccountingOptions {
  accounts: Accounts;
  prices: PriceTable;
  ledger: Ledger;
  alerts: BudgetAlerts | null;
  capacity: number; // requests that may run or wait; shared between the tenants that are there
  now: () => Instant;
  /** Fills the accounts with what was used before; called before the first admission, and again after it has failed. */
  restore: () => Promise<void>;
  onCost: (model: string, nanodollars: number) => void;
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

class KeyAdmission implements Admission {
  readonly #options: KeyAccountingOptions;
  readonly #id: string;
  readonly #caller: Caller;
  readonly #accounts: Account[];
  readonly #reservation: Reservation;
  readonly #startedAtMs: number;
  readonly #onEnd: () => void;
  #model: string | null = null;
  #price: Price | null = null;
  #isOver = false;

  constructor(
    options: KeyAccountingOptions,
    id: string,
    caller: Caller,
    accounts: Account[],
    reservation: Reservation,
    onEnd: () => void,
  ) {
    this.#options = options;
    this.#id = id;
    this.#caller = caller;
    this.#accounts = accounts;
    this.#reservation = reservation;
    this.#startedAtMs = reservation.at.monotonicMs;
    this.#onEnd = onEnd;
  }

  reserve({ model, isLocal, promptTokens, maxCompletionTokens }: Bill): void {
    const { prices, now } = this.#options;
    this.#model = model;
    this.#price = prices.of(model, isLocal);
    const amounts = {
      requests: 1,
      tokens: promptTokens + maxCompletionTokens,
      nanodollars: maxCostOf(this.#price, promptTokens, maxCompletionTokens),
    };
    const at = now();
    const refusal = this.#reservation.change(amounts, at);
    if (!refusal) return;
    this.#end();
    this.#reservation.release(at);
    throw refused(this.#options, this.#accounts, refusal, amounts, at);
  }

  quota(): Record<string, string> {
    return quotaHeaders(this.#accounts, this.#options.now());
  }

  async settle(outcome: Outcome): Promise<number | null> {
    if (this.#isOver) return null;
    this.#end();
    const { alerts, ledger, now, onCost } = this.#options;
    const { counts } = outcome;
    const nanodollars = this.#price ? costOf(this.#price, counts) : 0;
    const tokens = counts.promptTokens + counts.completionTokens;
    const at = now();
    this.#reservation.settle({ requests: 1, tokens, nanodollars }, at);
    if (alerts) for (const account of this.#accounts) alerts.spent(account, at);
    if (this.#model !== null) onCost(this.#model, nanodollars);
    await ledger.append(this.#entry(outcome, nanodollars, at));
    return nanodollars;
  }

  #end(): void {
    this.#isOver = true;
    this.#onEnd();
  }

  #entry({ counts, ...rest }: Outcome, nanodollars: number, at: Instant): LedgerEntry {
    const { keyId, tenant, team, user } = this.#caller;
    return {
      id: this.#id,
      admittedAtMs: Math.floor(this.#reservation.at.wallMs),
      keyId: keyId!,
      organisation: tenant,
      team,
      user,
      model: this.#model,
      inputTokens: counts.promptTokens,
      outputTokens: counts.completionTokens,
      cachedTokens: counts.cachedTokens,
      nanodollars,
      priceSource: this.#price?.source ?? null,
      latencyMs: Math.round(at.monotonicMs - this.#startedAtMs),
      ...rest,
    };
  }
}

function refused(
  { alerts }: KeyAccountingOptions,
  accounts: readonly Account[],
  refusal: Refusal,
  amounts: Amounts,
  at: Instant,
): SluiceError {
  for (const { unit, scope } of refusal.bounds) {
    const account = accounts.find((each) => each.scope === scope)!;
    if (unit === 'nanodollars') alerts?.exhausted(account, at);
  }
  return refusalError(refusal, amounts, quotaHeaders(accounts, at), at);
}
