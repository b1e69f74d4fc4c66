/**
 * One budget over several regions, by leased shares. Amounts are whole numbers of any unit. A region spends at once from what it
 * holds, and what it holds was taken from the rest at home before: all together can't spend more than there is. Totals are
 * exchanged, not differences, so that a message may be lost.
 */

/** What a region tells home: totals since the beginning. */
export interface Report {
  spent: number;
  returned: number; // of what it was granted
  asked: number; // more; 0: it has enough
}

interface Account {
  granted: number;
  returned: number;
  spent: number;
}

/** What is left of the budget, and what each region holds. */
export class BudgetHome {
  readonly total: number;
  readonly #regions: number;
  readonly #accounts = new Map<string, Account>();

  constructor(total: number, regions: number) {
    this.total = total;
    this.#regions = regions;
  }

  /** With no region. */
  get free(): number {
    let granted = 0;
    for (const account of this.#accounts.values()) granted += account.granted - account.returned;
    return this.total - granted;
  }

  get knownSpent(): number {
    let spent = 0;
    for (const account of this.#accounts.values()) spent += account.spent;
    return spent;
  }

  /**
   * Returns what the region was granted in all. Grants shrink with what is left, so that the last of the budget isn't all in one
   * place.
   */
  exchange(region: string, { spent, returned, asked }: Report): number {
    const account = this.#accounts.get(region) ?? { granted: 0, returned: 0, spent: 0 };
    this.#accounts.set(region, account);
    account.spent = Math.max(account.spent, spent);
    account.returned = Math.max(account.returned, returned);
    account.granted += Math.min(asked, Math.ceil(this.free / (2 * this.#regions)));
    return account.granted;
  }
}

/** Of the newest in the moving average of what a region uses between two reports. */
const NEWEST_WEIGHT = 1 / 8;

/**
 * A region's part: what it is likely to use for some time ahead. It asks for more when it has less, gives back what is beyond
 * twice of it, and spends nothing after its lease unless home has answered since.
 */
export class RegionalShare {
  readonly #leaseMs: number;
  readonly #reportsAhead: number;
  readonly #least: number;
  #granted = 0;
  #returned = 0;
  #reserved = 0;
  #spent = 0;
  #usedBefore = 0; // at the last report
  #usual = 0; // use between reports
  #leaseEndsMs = Number.NEGATIVE_INFINITY;

  /** `least`: what it keeps however little it uses: the dearest request. */
  constructor(leaseMs: number, reportsAhead: number, least: number) {
    this.#leaseMs = leaseMs;
    this.#reportsAhead = reportsAhead;
    this.#least = least;
  }

  get available(): number {
    return this.#granted - this.#returned - this.#reserved - this.#spent;
  }

  /** The most that a request may cost. False: not now. */
  reserve(most: number, nowMs: number): boolean {
    if (nowMs > this.#leaseEndsMs || most > this.available) return false;
    this.#reserved += most;
    return true;
  }

  /** What it has cost. */
  settle(most: number, cost: number): void {
    this.#reserved -= most;
    this.#spent += cost;
  }

  /** What home is to know now. What the region is unlikely to use soon, it gives back with it. */
  report(): Report {
    const used = this.#reserved + this.#spent;
    this.#usual += (Math.max(0, used - this.#usedBefore) - this.#usual) * NEWEST_WEIGHT;
    this.#usedBefore = used;
    const wanted = this.#least + Math.ceil(this.#usual * this.#reportsAhead);
    this.#returned += Math.max(0, this.available - 2 * wanted);
    const asked = this.available < wanted ? 2 * wanted - this.available : 0;
    return { spent: this.#spent, returned: this.#returned, asked };
  }

  /** Home has answered what was sent at `sentMs`. */
  renew(granted: number, sentMs: number): void {
    this.#granted = Math.max(this.#granted, granted);
    this.#leaseEndsMs = Math.max(this.#leaseEndsMs, sentMs + this.#leaseMs);
  }
}
