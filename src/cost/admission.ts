import type { Caller } from '../auth/caller.js';
import type { SluiceError } from '../errors.js';
import type { Account, Amounts } from '../limits/account.js';
import { quotaHeaders } from '../limits/quota-headers.js';
import { refusalError } from '../limits/refusal-error.js';
import type { Refusal, Reservation } from '../limits/reservation.js';
import type { Instant } from '../limits/window.js';
import type { LedgerEntry } from '../store/types.js';
import type { BudgetAlerts } from './budget-alerts.js';
import type { Ledger } from './ledger.js';
import { costOf, maxCostOf, type Price, type PriceTable, type TokenCounts } from './prices.js';

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

export interface AdmissionOptions {
  prices: PriceTable;
  ledger: Ledger;
  alerts: BudgetAlerts | null;
  now: () => Instant;
  onCost: (model: string, nanodollars: number) => void;
}

export class KeyAdmission implements Admission {
  readonly #options: AdmissionOptions;
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
    options: AdmissionOptions,
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

/** The error of a refusal; a budget that refuses is exhausted, which is worth an alert. */
export function refused(
  { alerts }: AdmissionOptions,
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
