import type { Command } from 'commander';
import { mergedLimits, wireLimits } from '../api/admin/wire.js';
import { parse } from '../api/json.js';
import { setBudgetRequest } from '../api/schemas/admin.js';
import { periodStart } from '../limits/calendar.js';
import type { Database, Period, ScopeLimits, ScopeTotals } from '../store/index.js';
import { dollars, formatDollars } from '../support/money.js';
import { formatTable } from '../support/table.js';
import { type DataOptions, dataOption, withDatabase } from './data-option.js';
import { addLimitOptions, describeLimits, type LimitOptions, wireLimitsOf } from './limit-options.js';

interface OutputOptions extends DataOptions {
  json?: boolean;
}

export function register(program: Command): void {
  const budgets = program
    .command('budgets')
    .description('limits and budgets of organisations, teams, users and keys');
  budgets
    .command('list')
    .description('limits, and what is spent')
    .addOption(dataOption())
    .option('--json', 'print JSON')
    .action(list);
  addLimitOptions(
    budgets
      .command('set')
      .description('set limits; those that are not named stay as they are')
      .argument('<scope>', 'organisation:NAME, team:ORGANISATION/NAME, user:ORGANISATION/NAME or key:ID')
      .addOption(dataOption()),
  ).action(set);
}

async function set(scope: string, options: DataOptions & LimitOptions): Promise<void> {
  const wire = parse(setBudgetRequest, { scope, ...wireLimitsOf(options) });
  const limits = await withDatabase(options, (store) => {
    const merged = mergedLimits(wire, store.limitsOf(scope) ?? undefined);
    store.setLimits({ scope, limits: merged });
    return merged;
  });
  process.stdout.write(`${scope}: ${describeLimits(limits) || 'no limits'}\n`);
}

async function list(options: OutputOptions): Promise<void> {
  const states = await withDatabase(options, statesOf);
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
function statesOf(store: Database): (ScopeLimits & { spent: number })[] {
  const nowMs = Date.now();
  const start = (period: Period) => periodStart(period, nowMs);
  const totals = store.totals({ dayMs: start('day'), weekMs: start('week'), monthMs: start('month') });
  const totalOf = new Map(totals.map((total) => [total.scope, total]));
  return store
    .changesSince(0)
    .limits.map((each) => ({ ...each, spent: spentOf(totalOf.get(each.scope), each.limits.budget?.period) }));
}

function spentOf(total: ScopeTotals | undefined, period: Period = 'month'): number {
  if (!total) return 0;
  return { day: total.nanodollarsOfDay, week: total.nanodollarsOfWeek, month: total.nanodollarsOfMonth }[
    period
  ];
}
