import type { Command } from 'commander';
import { selectorOf } from '../api/admin/cache.js';
import { parse } from '../api/json.js';
import { purgeRequest } from '../api/schemas/admin-cache.js';
import { openCacheDatabase } from '../cache/disk/database.js';
import { openSemanticEntries } from '../cache/semantic/database.js';
import type { LevelStats, PurgeSelector } from '../cache/types.js';
import { dataDirectory } from '../store/index.js';
import { formatTable } from '../support/table.js';
import { type DataOptions, dataOption } from './data-option.js';

/** What a file of answers can do, whatever is kept with them. */
interface KeptAnswers {
  purge(selector: PurgeSelector, nowMs: number): { dropped: number };
  stats(): LevelStats;
  close(): void;
}

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
  const found = withCaches(options, (cache) => cache.stats());
  const total = (what: 'entries' | 'bytes') => found.reduce((sum, each) => sum + each[what], 0);
  const [entries, bytes] = [total('entries'), total('bytes')];
  if (options.json) process.stdout.write(`${JSON.stringify({ entries, bytes })}\n`);
  else process.stdout.write(formatTable(['ANSWERS', 'BYTES'], [[String(entries), String(bytes)]]));
}

function purge({ data, promptPrefix, ...options }: PurgeOptions): void {
  const selector = selectorOf(parse(purgeRequest, { ...options, prompt_prefix: promptPrefix }));
  const nowMs = Date.now();
  const purges = withCaches(data === undefined ? {} : { data }, (cache) => cache.purge(selector, nowMs));
  process.stdout.write(`${purges.reduce((sum, { dropped }) => sum + dropped, 0)} answers dropped\n`);
}

/** The work on each file of answers in the data folder. */
function withCaches<T>({ data }: DataOptions, work: (cache: KeptAnswers) => T): T[] {
  const directory = dataDirectory(data ?? '', process.env);
  return [openCacheDatabase, openSemanticEntries].map((open) => {
    const cache = open(directory);
    try {
      return work(cache);
    } finally {
      cache.close();
    }
  });
}
