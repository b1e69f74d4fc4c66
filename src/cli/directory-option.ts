import type { Command } from 'commander';
import type { KeyStore } from '../auth/index.js';
import { AccountShard, ForgottenError } from '../cluster/accounts/shard.js';
import { shardCount } from '../cluster/accounts/sharding.js';
import { readStandings } from '../cluster/accounts/standings.js';
import { RedisDirectory } from '../cluster/directory/redis-directory.js';
import type { Config } from '../config/index.js';
import { periodStart } from '../limits/calendar.js';
import type { RedisLink } from '../redis/link.js';
import type { Database, DirectoryChange, Period, ScopeLimits, ScopeTotals } from '../store/index.js';
import { type DataOptions, dataOption, type StoreOptions, withDatabase } from './data-option.js';
import { addRedisOptions, type RedisOptions, redisConfig, withRedis } from './redis-option.js';

export interface DirectoryOptions extends DataOptions, RedisOptions {}

/** Keys and limits where servers have them: in Redis where the configuration names one, else in a data folder. */
export interface Directory extends KeyStore {
  changesSince(revision: number): DirectoryChange | Promise<DirectoryChange>;
  /** Nanodollars that were settled in the period of a scope's budget, or this month, by scope. */
  spent(scopes: readonly ScopeLimits[]): Promise<Map<string, number>>;
}

export function addDirectoryOptions(command: Command): Command {
  return addRedisOptions(command.addOption(dataOption()));
}

export async function withDirectory<T>(
  options: DirectoryOptions & StoreOptions,
  work: (directory: Directory) => Promise<T>,
): Promise<T> {
  const config = redisConfig(options);
  if (config.redis.url !== '')
    return await withRedis(config, (redis) => work(sharedDirectory(redis, config)));
  return await withDatabase(options, (database) => work(localDirectory(database)));
}

function localDirectory(database: Database): Directory {
  const spent = async (scopes: readonly ScopeLimits[]) => {
    const start = (period: Period) => periodStart(period, Date.now());
    const totals = database.totals({ dayMs: start('day'), weekMs: start('week'), monthMs: start('month') });
    const totalOf = new Map(totals.map((total) => [total.scope, total]));
    return new Map(
      scopes.map(({ scope, limits }) => [scope, spentOf(totalOf.get(scope), limits.budget?.period)]),
    );
  };
  return { ...database, spent };
}

function spentOf(total: ScopeTotals | undefined, period: Period = 'month'): number {
  if (!total) return 0;
  return { day: total.nanodollarsOfDay, week: total.nanodollarsOfWeek, month: total.nanodollarsOfMonth }[
    period
  ];
}

function sharedDirectory(redis: RedisLink, config: Config): Directory {
  const directory = new RedisDirectory(redis);
  return Object.assign(directory, {
    spent: async (scopes: readonly ScopeLimits[]) => {
      await directory.changesSince(0);
      const standings = await readStandings(
        scopes,
        shardCount(config.redis),
        (id) => directory.ownerOf(id),
        async (shard, own) => {
          const accounts = new AccountShard(
            redis,
            shard,
            { gateway: '', reader: '' },
            config.cluster.reservationLeaseMs,
          );
          return await accounts.standings(own).catch((error: unknown) => {
            if (error instanceof ForgottenError) return []; // nothing was used yet
            throw error;
          });
        },
      );
      return new Map(standings.map(({ scope, settled }) => [scope, settled]));
    },
  });
}
