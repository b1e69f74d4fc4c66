import type { Caller } from '../auth/caller.js';
import type { SluiceError } from '../errors.js';
import type { Amounts } from '../limits/account.js';
import { quotaHeaders } from '../limits/quota-headers.js';
import type { Refusal } from '../limits/refusal.js';
import { refusalError } from '../limits/refusal-error.js';
import type { LedgerEntry } from '../store/types.js';
import type { Books, Hold } from './books.js';
import type { BudgetAlerts } from './budget-alerts.js';
import type { ModelCost, TokenCounts } from './prices.js';

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
   * Holds what the request may take at most, instead of what it held; a promise only where that has to be waited for. Throws,
   * or rejects with, rate_limit_exceeded, insufficient_quota, request_too_large or store_unavailable, and then holds what
   * it did before. One call at a time.
   */
  reserve(bill: Bill): void | Promise<void>;
  /** What is left of the caller's limits, as headers. */
  quota(): Record<string, string>;
  /**
   * Gives back what wasn't used. Resolves with the cost in nanodollars when it is kept; null where nothing is accounted, as
   * where every reserve() was refused: such a request never was.
   */
  settle(outcome: Outcome): Promise<number | null>;
}

export interface AdmissionOptions {
  books: Books;
  alerts: BudgetAlerts | null;
  monotonicMs: () => number;
  onCost: (model: string, nanodollars: number) => void;
}

export class KeyAdmission implements Admission {
  readonly #options: AdmissionOptions;
  readonly #id: string;
  readonly #caller: Caller;
  readonly #hold: Hold;
  readonly #startedAtMs: number;
  readonly #onEnd: () => void;
  #hasReserved = false;
  #wasRefused = false;
  #isOver = false;

  constructor(options: AdmissionOptions, id: string, caller: Caller, hold: Hold, onEnd: () => void) {
    this.#options = options;
    this.#id = id;
    this.#caller = caller;
    this.#hold = hold;
    this.#startedAtMs = options.monotonicMs();
    this.#onEnd = onEnd;
  }

  reserve(bill: Bill): void | Promise<void> {
    const amounts = { requests: 1, ...bill };
    const changed = this.#hold.change(amounts);
    if (!(changed instanceof Promise)) return this.#changed(amounts, changed);
    return changed.then(
      (refusal) => this.#changed(amounts, refusal),
      (error: unknown) => {
        this.#wasRefused = true;
        throw error;
      },
    );
  }

  quota(): Record<string, string> {
    return quotaHeaders(this.#hold.bounds());
  }

  async settle(outcome: Outcome): Promise<number | null> {
    if (this.#isOver) return null;
    this.#isOver = true;
    this.#onEnd();
    const { alerts, onCost } = this.#options;
    if (this.#wasRefused && !this.#hasReserved) {
      await this.#hold.release();
      return null;
    }
    const { counts, costs } = outcome;
    let nanodollars = 0;
    for (const [model, cost] of costs) {
      nanodollars += cost.nanodollars;
      onCost(model, cost.nanodollars);
    }
    const tokens = counts.promptTokens + counts.completionTokens;
    const entry = this.#entry(outcome, nanodollars);
    const standings = await this.#hold.settle({ requests: 1, tokens, nanodollars }, entry);
    if (alerts) for (const standing of standings) alerts.spent(standing);
    return nanodollars;
  }

  #changed(amounts: Amounts, refusal: Refusal | null): void {
    if (refusal) {
      this.#wasRefused = true;
      throw refused(this.#options, refusal, amounts);
    }
    this.#hasReserved = true;
  }

  #entry({ model, counts, costs, ...rest }: Outcome, nanodollars: number): LedgerEntry {
    const { keyId, tenant, team, user } = this.#caller;
    return {
      id: this.#id,
      admittedAtMs: this.#hold.atMs,
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
      latencyMs: Math.round(this.#options.monotonicMs() - this.#startedAtMs),
      ...rest,
    };
  }
}

/** The error of a refusal; a budget that refuses is exhausted, which is worth an alert. */
export function refused({ alerts }: AdmissionOptions, refusal: Refusal, amounts: Amounts): SluiceError {
  if (alerts) for (const standing of refusal.standings) alerts.exhausted(standing);
  return refusalError(refusal, amounts);
}
