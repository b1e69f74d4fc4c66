import type { Command } from 'commander';
import { selectorOf } from '../api/admin/cache.js';
import { parse } from '../api/json.js';
import { purgeRequest } from '../api/schemas/admin-cache.js';
import { openCacheDatabase } from '../cache/disk/database.js';
import { RedisLevel } from '../cache/redis/redis-level.js';
import { openSemanticEntries } from '../cache/semantic/database.js';
import { sharedAnswersShelf } from '../cache/semantic/shared-answers.js';
import type { LevelStats, PurgeSelector } from '../cache/types.js';
import { SluiceError } from '../errors.js';
import { dataDirectory } from '../store/index.js';
import { formatTable } from '../support/table.js';
import { type DataOptions, dataOption } from './data-option.js';
import { addRedisOptions, type RedisOptions, withRequiredRedis } from './redis-option.js';

/** What a place of answers can do, whatever is kept with them. */
interface KeptAnswers {
  purge(selector: PurgeSelector): number | Promise<number>;
  stats(): LevelStats | Promise<LevelStats>;
}

interface PlaceOptions extends DataOptions, RedisOptions {}

interface StatsOptions extends PlaceOptions {
  json?: boolean;
}

interface PurgeOptions extends PlaceOptions {
  tenant?: string;
  model?: string;
  key?: string;
  promptPrefix?: string;
  all?: true;
}

export function register(program: Command): void {
  const cache = program.command('cache').description('answers kept in the data folder, or in Redis');
  addRedisOptions(cache.command('stats').description('how many there are'))
    .addOption(dataOption())
    .option('--json', 'print JSON')
    .action(stats);
  addRedisOptions(
    cache
      .command('purge')
      .description('drop those that fit all options; running servers follow within 250 ms'),
  )
    .addOption(dataOption())
    .option('--tenant <name>', 'of this organisation')
    .option('--model <id>', 'answered by this model')
    .option('--key <digits>', 'x-sluice-cache-key of an answer, or its first digits (at least 8)')
    .option('--prompt-prefix <text>', 'whose prompt or first message begins so')
    .option('--all', 'all of them')
    .action(purge);
}

async function stats(options: StatsOptions): Promise<void> {
  const found = await withCaches(options, (cache) => cache.stats());
  const total = (what: 'entries' | 'bytes') => found.reduce((sum, each) => sum + each[what], 0);
  const [entries, bytes] = [total('entries'), total('bytes')];
  if (options.json) process.stdout.write(`${JSON.stringify({ entries, bytes })}\n`);
  else process.stdout.write(formatTable(['ANSWERS', 'BYTES'], [[String(entries), String(bytes)]]));
}

async function purge(options: PurgeOptions): Promise<void> {
  const { tenant, model, key, promptPrefix: prompt_prefix, all } = options;
  if ([tenant, model, key, prompt_prefix, all].every((each) => each === undefined))
    throw new SluiceError(
      'invalid_value',
      'Say which: --tenant, --model, --key or --prompt-prefix; or --all.',
    );
  const selector = selectorOf(parse(purgeRequest, { tenant, model, key, prompt_prefix, all }));
  const dropped = await withCaches(options, (cache) => cache.purge(selector));
  process.stdout.write(`${dropped.reduce((sum, each) => sum + each, 0)} answers dropped\n`);
}

/** The second level comes last: servers hear of its purge, and nothing may come up into their memory after that. */
type Work<T> = (cache: KeptAnswers) => T | Promise<T>;

/** The work on each place of answers: the files of the data folder, or what is in Redis where that is meant. */
async function withCaches<T>(options: PlaceOptions, work: Work<T>): Promise<T[]> {
  const { data, redis, config } = options;
  if (redis !== undefined || config !== undefined) return await withSharedCaches(options, work);
  const directory = dataDirectory(data ?? '', process.env);
  const results: T[] = [];
  for (const open of [openSemanticEntries, openCacheDatabase]) {
    const cache = open(directory, 'empty');
    try {
      const purge = (selector: PurgeSelector) => cache.purge(selector, Date.now()).dropped;
      results.push(await work({ purge, stats: () => cache.stats() }));
    } finally {
      cache.close();
    }
  }
  return results;
}

async function withSharedCaches<T>(options: PlaceOptions, work: Work<T>): Promise<T[]> {
  return await withRequiredRedis(options, async (redis, { cache, semanticCache }) => {
    const nowMs = Date.now;
    const bounds = { maxEntries: cache.redisEntries, maxBytes: cache.redisBytes };
    const level = await RedisLevel.open(redis, { bounds, nowMs });
    try {
      return [await work(sharedAnswersShelf(redis, { bounds: semanticCache, nowMs })), await work(level)];
    } finally {
      await level.close();
    }
  });
}
