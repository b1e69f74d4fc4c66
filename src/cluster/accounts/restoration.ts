import type { RecentUse, ScopeTotals } from '../../store/types.js';

/** What the ledger says was used, for a shard that has forgotten it. */
export interface UseBefore {
  /** Days since 1970 on which the day, week and month of the totals began. */
  days: readonly [number, number, number];
  totals: readonly ScopeTotals[];
  /** Of scopes that have totals. */
  recent: readonly RecentUse[];
}

/** Where an organisation's accounts lie (FNV-1a, 32 bits). */
export function shardOf(organisation: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < organisation.length; i += 1)
    hash = Math.imul(hash ^ organisation.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}
