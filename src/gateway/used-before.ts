import { periodStart } from '../limits/calendar.js';
import type { RecentUse, ScopeTotals, Store } from '../store/index.js';

/** A minute, and the second in which it began. */
const RECENT_MS = 61_000;

export interface UsedBefore {
  /** When the periods of the totals began, in milliseconds since 1970. */
  starts: { dayMs: number; weekMs: number; monthMs: number };
  totals: ScopeTotals[];
  recent: RecentUse[];
}

/** What the store's ledger says was used in the periods that a moment lies in. */
export async function usedBefore(store: Store, nowMs: number): Promise<UsedBefore> {
  const starts = {
    dayMs: periodStart('day', nowMs),
    weekMs: periodStart('week', nowMs),
    monthMs: periodStart('month', nowMs),
  };
  const [totals, recent] = await Promise.all([store.totals(starts), store.recentUse(nowMs - RECENT_MS)]);
  return { starts, totals, recent };
}
