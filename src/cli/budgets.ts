import type { Command } from 'commander';
import { mergedLimits, wireLimits } from '../api/admin/wire.js';
import { parse } from '../api/json.js';
import { setBudgetRequest } from '../api/schemas/admin.js';
import type { ScopeLimits } from '../store/index.js';
import { dollars, formatDollars } from '../support/money.js';
import { formatTable } from '../support/table.js';
import {
  addDirectoryOptions,
  type Directory,
  type DirectoryOptions,
  withDirectory,
} from './directory-option.js';
import { addLimitOptions, describeLimits, type LimitOptions, wireLimitsOf } from './limit-options.js';

interface OutputOptions extends DirectoryOptions {
  json?: boolean;
}

export function register(program: Command): void {
  const budgets = program
    .command('budgets')
    .description('limits and budgets of organisations, teams, users and keys');
  addDirectoryOptions(budgets.command('list').description('limits, and what is spent'))
    .option('--json', 'print JSON')
    .action(list);
  addLimitOptions(
    addDirectoryOptions(
      budgets
        .command('set')
        .description('set limits; those that are not named stay as they are')
        .argument('<scope>', 'organisation:NAME, team:ORGANISATION/NAME, user:ORGANISATION/NAME or key:ID'),
    ),
  ).action(set);
}

async function set(scope: string, options: DirectoryOptions & LimitOptions): Promise<void> {
  const wire = parse(setBudgetRequest, { scope, ...wireLimitsOf(options) });
  const limits = await withDirectory({ ...options, ifMissing: 'create' }, async (store) => {
    const merged = mergedLimits(wire, (await store.limitsOf(scope)) ?? undefined);
    await store.setLimits({ scope, limits: merged });
    return merged;
  });
  process.stdout.write(`${scope}: ${describeLimits(limits) || 'no limits'}\n`);
}

async function list(options: OutputOptions): Promise<void> {
  const states = await withDirectory(options, statesOf);
  if (options.json) {
    const shown = states.map(({ scope, limits, spent }) => ({
      scope,
      limits: wireLimits(limits),
      spent: dollars(spent),
    }));
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  const rows = states.map(({ scope, limits, spent }) => [
    scope,
    describeLimits(limits),
    formatDollars(spent),
  ]);
  process.stdout.write(formatTable(['SCOPE', 'LIMITS', 'SPENT'], rows));
}

/** What is settled; a running server knows besides what is reserved. */
async function statesOf(directory: Directory): Promise<(ScopeLimits & { spent: number })[]> {
  const { limits } = await directory.changesSince(0);
  const spent = await directory.spent(limits);
  return limits.map((each) => ({ ...each, spent: spent.get(each.scope) ?? 0 }));
}
