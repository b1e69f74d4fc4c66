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
import type { TokenCounts } from './prices.js';
import type { ModelCost } from './tab.js';

/** What a request may take at most. Whole numbers. */
export interface Bill {
  tokens: number;
  nanodollars: number;
}

export interface Outcome {
  model: string | null; // that answered, or was asked last; null: none was
  counts: TokenCounts; // of all models that were asked
  costs: ReadonlyMap<string, ModelCost>; // by model
  finishReason: string; // or the code of an error
  cacheLevel: string | null;
  guardResult: string | null;
}

/** A request that was let in. It ends exactly once, by settle(). */
export interface Admission {
  /**
   * Holds what the request may take at most, instead of what it held. Throws rate_limit_exceeded, insufficient_quota or
   * request_too_large, and then holds what it did before.
   */
  reserve(bill: Bill): void;
  /** What is left of the caller's limits, as headers. */
  quota(): Record<string, string>;
  /**
   * Gives back what wasn't used. Resolves with the cost in nanodollars when it is kept; null where nothing is accounted, as
   * where every reserve() was refused: such a request never was.
   */
  settle(outcome: Outcome): Promise<number | null>;
}

export interface AdmissionOptions {
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
  #hasReserved = false;
  #wasRefused = false;
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

  reserve(bill: Bill): void {
    const amounts = { requests: 1, ...bill };
    const at = this.#options.now();
    const refusal = this.#reservation.change(amounts, at);
    if (!refusal) {
      this.#hasReserved = true;
      return;
    }
    this.#wasRefused = true;
    throw refused(this.#options, this.#accounts, refusal, amounts, at);
  }

  quota(): Record<string, string> {
    return quotaHeaders(this.#accounts, this.#options.now());
  }

  async settle(outcome: Outcome): Promise<number | null> {
    if (this.#isOver) return null;
    this.#isOver = true;
    this.#onEnd();
    const { alerts, ledger, now, onCost } = this.#options;
    if (this.#wasRefused && !this.#hasReserved) {
      this.#reservation.release(now());
      return null;
    }
    const { counts, costs } = outcome;
    let nanodollars = 0;
    for (const [model, cost] of costs) {
      nanodollars += cost.nanodollars;
      onCost(model, cost.nanodollars);
    }
    const tokens = counts.promptTokens + counts.completionTokens;
    const at = now();
    this.#reservation.settle({ requests: 1, tokens, nanodollars }, at);
    if (alerts) for (const account of this.#accounts) alerts.spent(account, at);
    await ledger.append(this.#entry(outcome, nanodollars, at));
    return nanodollars;
  }

  #entry({ model, counts, costs, ...rest }: Outcome, nanodollars: number, at: Instant): LedgerEntry {
    const { keyId, tenant, team, user } = this.#caller;
    return {
      id: this.#id,
      admittedAtMs: Math.floor(this.#reservation.at.wallMs),
      keyId: keyId!,
      organisation: tenant,
      team,
      user,
      model,
      inputTokens: counts.promptTokens,
      outputTokens: counts.completionTokens,
      cachedTokens: counts.cachedTokens,
      nanodollars,
      priceSource: (model === null ? null : costs.get(model)?.price.source) ?? null,
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
