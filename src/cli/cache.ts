import type { Command } from 'commander';
import { selectorOf } from '../api/admin/cache.js';
import { parse } from '../api/json.js';
import { purgeRequest } from '../api/schemas/admin-cache.js';
import { type CacheDatabase, openCacheDatabase } from '../cache/disk/database.js';
import { dataDirectory } from '../store/index.js';
import { type DataOptions, dataOption } from './data-option.js';
import { formatTable } from './table.js';

interface StatsOptions extends DataOptions {
  json?: boolean;
}

interface PurgeOptions extends DataOptions {
  tenant?: string;
  model?: string;
  key?: string;
  promptPrefix?: string;
  all?: true;
}

export function register(program: Command): void {
  const cache = program.command('cache').description('answers kept in the data folder');
  cache
    .command('stats')
    .description('how many there are')
    .addOption(dataOption())
    .option('--json', 'print JSON')
    .action(stats);
  cache
    .command('purge')
    .description('drop those that fit all options; a running server follows within 250 ms')
    .addOption(dataOption())
    .option('--tenant <name>', 'of this organisation')
    .option('--model <id>', 'answered by this model')
    .option('--key <digits>', 'x-sluice-cache-key of an answer, or its first digits (at least 8)')
    .option('--prompt-prefix <text>', 'whose prompt or first message begins so')
    .option('--all', 'all of them')
    .action(purge);
}

function stats(options: StatsOptions): void {
  const { entries, bytes } = withCache(options, (cache) => cache.stats());
  if (options.json) process.stdout.write(`${JSON.stringify({ entries, bytes })}\n`);
  else process.stdout.write(formatTable(['ANSWERS', 'BYTES'], [[String(entries), String(bytes)]]));
}

function purge({ data, promptPrefix, ...options }: PurgeOptions): void {
  const selector = selectorOf(parse(purgeRequest, { ...options, prompt_prefix: promptPrefix }));
  const { dropped } = withCache(data === undefined ? {} : { data }, (cache) =>
    cache.purge(selector, Date.now()),
  );
  process.stdout.write(`${dropped} answers dropped\n`);
}

function withCache<T>({ data }: DataOptions, work: (cache: CacheDatabase) => T): T {
  const cache = openCacheDatabase(dataDirectory(data ?? '', process.env));
  try {
    return work(cache);
  } finally {
    cache.close();
  }
}
