import type { Hold } from '../../cost/books.js';
import type { Amounts } from '../../limits/account.js';
import type { BoundUse, Refusal, Standing } from '../../limits/refusal.js';
import type { LedgerEntry } from '../../store/types.js';
import { accountsAway } from './away.js';
import type { Decision } from './shard.js';

/** What a hold needs of the books that it is on. */
export interface HoldKeeper {
  /** Rejects with store_unavailable. */
  change(hold: SharedHold, amounts: Amounts): Promise<Decision>;
  /** Whether more may be held while Redis is away. */
  grant(more: Amounts): boolean;
  settle(hold: SharedHold, entry: LedgerEntry): Promise<Standing[]>;
  release(hold: SharedHold): Promise<void>;
}

/** What one request holds in Redis. */
export class SharedHold implements Hold {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly #keeper: HoldKeeper;
  #amounts: Amounts;
  #atMs: number;
  #bounds: BoundUse[];
  #changing: Promise<unknown> = Promise.resolve();
  #isEnding = false;

  constructor(
    keeper: HoldKeeper,
    id: string,
    scopes: readonly string[],
    amounts: Amounts,
    { atMs, bounds }: Pick<Decision, 'atMs' | 'bounds'>,
  ) {
    this.#keeper = keeper;
    this.id = id;
    this.scopes = scopes;
    this.#amounts = amounts;
    this.#atMs = atMs;
    this.#bounds = bounds;
  }

  get atMs(): number {
    return this.#atMs;
  }

  get amounts(): Amounts {
    return this.#amounts;
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** As Redis last said. */
  bounds(): BoundUse[] {
    return this.#bounds;
  }

  change(amounts: Amounts): Promise<Refusal | null> {
    const changing = this.#change(amounts);
    this.#changing = changing.catch(() => undefined);
    return changing;
  }

  async settle(_actual: Amounts, entry: LedgerEntry): Promise<Standing[]> {
    await this.#changing;
    this.#isEnding = true;
    return await this.#keeper.settle(this, entry);
  }

  async release(): Promise<void> {
    await this.#changing;
    this.#isEnding = true;
    await this.#keeper.release(this);
  }

  async #change(amounts: Amounts): Promise<Refusal | null> {
    try {
      const { atMs, bounds, refusal } = await this.#keeper.change(this, amounts);
      if (refusal) return refusal;
      this.#atMs = atMs;
      this.#bounds = bounds;
    } catch (error) {
      const { tokens, nanodollars } = this.#amounts;
      const more = {
        requests: 0,
        tokens: amounts.tokens - tokens,
        nanodollars: amounts.nanodollars - nanodollars,
      };
      if (!this.#keeper.grant(more)) throw accountsAway(error);
    }
    this.#amounts = amounts;
    return null;
  }
}
