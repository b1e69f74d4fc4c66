import type { SourceParts, TenancySource } from '../../gateway/tenancy-source.js';
import { usedBefore } from '../../gateway/used-before.js';
import type { RedisLink } from '../../redis/link.js';
import { organisationOf } from '../../store/types.js';
import { nanodollars } from '../../support/money.js';
import { RedisAlerts } from '../directory/redis-alerts.js';
import { RedisDirectory } from '../directory/redis-directory.js';
import { LedgerReplica } from '../ledger/replica.js';
import { Allowance } from './allowance.js';
import { Settlements } from './settlements.js';
import { shardCount, shardOf } from './sharding.js';
import { SharedBooks } from './shared-books.js';

const RETRY_MS = 500;
/** Requests admitted longer ago aren't settled again, but for very long ones. */
const RESTORED_MS = 600_000;
const MAX_SETTLED = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Keys, limits, budgets and the ledger of all gateways over one Redis; the store has a copy of the ledger. */
export function sharedSource(redis: RedisLink, gateway: string) {
  return async ({ config, store, onFault }: SourceParts): Promise<TenancySource> => {
    const { cluster, usage } = config;
    const shards = shardCount(config.redis);
    const directory = new RedisDirectory(redis);
    const handOff = await store.beginHandOff();
    const ownerOf = (keyId: string) => directory.ownerOf(keyId);
    const settlements: Settlements = new Settlements({
      outbox: store,
      send: (entry) => books.post(entry),
      forget: (entries) => books.forget(entries),
      forgetAllBut: (ids) => books.forgetAllBut(ids),
      maxPending: usage.maxPending,
      retryMs: RETRY_MS,
      onFault,
    });
    const books: SharedBooks = new SharedBooks({
      redis,
      gateway,
      reader: handOff.reader,
      leaseMs: cluster.reservationLeaseMs,
      allowance: new Allowance({
        requests: cluster.allowedRequests,
        tokens: cluster.allowedTokens,
        nanodollars: nanodollars(cluster.allowedDollars),
      }),
      settlements,
      shards,
      ownerOf,
      usedBefore: async (shard) => {
        const nowMs = Date.now();
        // Before the totals: what comes between is rather counted twice than not at all.
        const settled = await store.requests({
          sinceMs: nowMs - RESTORED_MS,
          untilMs: nowMs + HOUR_MS,
          maxRows: MAX_SETTLED,
        });
        const { starts, totals, recent } = await usedBefore(store, nowMs);
        const isHere = ({ scope }: { scope: string }) => {
          const organisation = organisationOf(scope) ?? ownerOf(scope.slice('key:'.length));
          return organisation !== null && shardOf(organisation, shards) === shard;
        };
        const here = totals.filter(isHere);
        const known = new Set(here.map(({ scope }) => scope));
        return {
          days: [starts.dayMs / DAY_MS, starts.weekMs / DAY_MS, starts.monthMs / DAY_MS],
          totals: here,
          recent: recent.filter(({ scope }) => known.has(scope)),
          settled: settled.flatMap(({ id, organisation }) =>
            shardOf(organisation, shards) === shard ? [id] : [],
          ),
        };
      },
    });
    const replica = new LedgerReplica({
      redis,
      shards,
      ...handOff,
      silenceMs: cluster.ledgerHours * HOUR_MS,
      store,
      onSeen: (id) => settlements.seen(id),
      onRead: (startedAtMs, wasAway) => settlements.ledgerRead(startedAtMs, wasAway),
      onFault,
    });
    await settlements.open();
    await replica.catchUp();
    replica.start();
    return {
      keys: directory,
      books,
      alerts: new RedisAlerts(redis),
      get written() {
        return replica.written;
      },
      start: () => Promise.resolve(),
      watch: (listener) => directory.watch(listener),
      current: () => replica.catchUp(),
      close: async () => {
        await settlements.close();
        await replica.close();
        books.close();
      },
    };
  };
}
