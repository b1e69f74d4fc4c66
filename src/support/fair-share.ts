/** A tenant alone may have 8/9 of all places; n busy tenants 8/(8n + 1) each. */
const SHARE_OF_FREE = 8;

/**
 * Dynamic thresholds (Choudhury and Hahne, IEEE/ACM Transactions on Networking, 1998): a tenant may have a multiple of
 * what is free. However much one asks for, some places stay free for the others, and none are set aside for who is absent.
 */
export function mayEnter(own: number, total: number, capacity: number): boolean {
  return own < SHARE_OF_FREE * (capacity - total);
}

/** A kept place is worth a quarter of all at most. */
const LEAST_WITH_KEPT_PLACE = 4;

/** A tenant that was there so lately is expected back. */
const PRESENCE_MS = 60_000;

interface Presence {
  held: number; // places
  lastMs: number; // when it last gave one back
}

/**
 * Who holds how many of some places. A tenant may have all of them while no other is around, and else leaves some free
 * as {@link mayEnter} does, and the last for who has less than half, so that whoever has few finds one at once instead of when somebody has finished. Of
 * three places or fewer none is kept.
 */
export class FairPlaces {
  readonly #shareOfFree: number;
  readonly #tenants = new Map<string, Presence>(); // who was there longest ago comes first
  #total = 0;

  /** A tenant beside others takes another place while it has fewer than so many times those that are free. */
  constructor(shareOfFree = SHARE_OF_FREE) {
    this.#shareOfFree = shareOfFree;
  }

  get total(): number {
    return this.#total;
  }

  mayTake(tenant: string, capacity: number, nowMs: number): boolean {
    if (this.#total >= capacity) return false;
    const own = this.#tenants.get(tenant);
    this.#forget(nowMs);
    const others = this.#tenants.size - (own ? 1 : 0);
    const held = own?.held ?? 0;
    const isLast = this.#total === capacity - 1 && capacity >= LEAST_WITH_KEPT_PLACE;
    const leavesEnough = held < this.#shareOfFree * (capacity - this.#total);
    return others === 0 || (leavesEnough && !(isLast && 2 * held >= capacity));
  }

  heldBy(tenant: string): number {
    return this.#tenants.get(tenant)?.held ?? 0;
  }

  /**
   * Who has more places than this has many beside others that are there, or were lately: more than these have on average,
   * and so much more than the one with least that half of them would still be no fewer. Infinity where there is but one.
   */
  enough(nowMs: number): number {
    this.#forget(nowMs);
    if (this.#tenants.size < 2) return Number.POSITIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    for (const { held } of this.#tenants.values()) least = Math.min(least, held);
    return Math.max(2 * least + 1, this.#total / this.#tenants.size);
  }

  /** Who holds the most, where that is so much more that a place less leaves it no worse off than `tenant` with one more. */
  richerThan(tenant: string): string | null {
    let most = this.heldBy(tenant) + 1;
    let richest: string | null = null;
    for (const [other, { held }] of this.#tenants) {
      if (held <= most) continue;
      most = held;
      richest = other;
    }
    return richest;
  }

  /**
   * Whether a tenant of whom only one thing waits may have a place beyond those that there are: whoever floods has more
   * waiting. `capacity` counts such places too.
   */
  mayBeGuest(tenant: string, capacity: number): boolean {
    if (this.#total >= capacity) return false;
    const held = this.heldBy(tenant);
    for (const [other, presence] of this.#tenants) if (other !== tenant && presence.held >= held) return true;
    return false;
  }

  take(tenant: string, nowMs: number): void {
    this.#total += 1;
    const own = this.#tenants.get(tenant);
    if (own) own.held += 1;
    else this.#tenants.set(tenant, { held: 1, lastMs: nowMs });
  }

  leave(tenant: string, nowMs: number): void {
    const own = this.#tenants.get(tenant)!;
    this.#total -= 1;
    own.held -= 1;
    own.lastMs = nowMs;
    this.#tenants.delete(tenant);
    this.#tenants.set(tenant, own);
  }

  /** Up to the first that is still there: later ones may be kept for longer, which only keeps a place free. */
  #forget(nowMs: number): void {
    for (const [tenant, { held, lastMs }] of this.#tenants) {
      if (held > 0 || nowMs - lastMs < PRESENCE_MS) return;
      this.#tenants.delete(tenant);
    }
  }
}
