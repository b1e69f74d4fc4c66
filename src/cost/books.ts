import type { SluiceError } from '../errors.js';
import type { Amounts } from '../limits/account.js';
import type { BoundUse, Refusal, Standing } from '../limits/refusal.js';
import type { LedgerEntry, Limits } from '../store/types.js';

/**
 * What scopes may use, have used, and hold: in this process ({@link LocalBooks}), or in Redis for all gateways. Of what may
 * be a promise, it is one only where something has to be waited for.
 */
export interface Books {
  limitsOf(scope: string): Limits;
  setLimits(scope: string, limits: Limits): void;
  /** Why nothing can be let in at the moment; null: it can. */
  fault(): SluiceError | null;
  /**
   * Counts a request against every limit of its scopes, or against none. Scopes are those of one organisation, from the
   * narrowest to the widest. Rejects with store_unavailable.
   */
  take(id: string, scopes: readonly string[], amounts: Amounts): Hold | Refusal | Promise<Hold | Refusal>;
  /** In the period of its budget, or the month; of every scope that has limits, and maybe others. */
  standings(): Standing[] | Promise<Standing[]>;
}

/** What one request holds of its scopes. It ends exactly once, by settle() or release(). */
export interface Hold {
  /** The moment at which all of it is counted, in milliseconds since 1970. */
  readonly atMs: number;
  /** How far the limits that stand against it are used up: now, or as it was last heard. */
  bounds(): BoundUse[];
  /**
   * Holds `amounts` instead of what it held. Where that is refused it holds what it did before. Rejects with
   * store_unavailable.
   */
  change(amounts: Amounts): Refusal | null | Promise<Refusal | null>;
  /**
   * `actual` is what was used, counted at the time of the reservation, and `entry` what the ledger keeps of it. Resolves when
   * both are kept, or can't be at the moment, with what its scopes with budgets have spent by then.
   */
  settle(actual: Amounts, entry: LedgerEntry): Promise<Standing[]>;
  /** As if it had never been. */
  release(): void | Promise<void>;
}
