import type { Command } from 'commander';
import { cellText, csvOf, usageReport } from '../api/admin/usage.js';
import { parse } from '../api/json.js';
import { usageQuery } from '../api/schemas/admin.js';
import { usageColumns } from '../store/index.js';
import { formatTable } from '../support/table.js';
import { type DataOptions, dataOption, withDatabase } from './data-option.js';

interface UsageOptions extends DataOptions {
  by?: string;
  since?: string;
  until?: string;
  limit?: string;
  csv?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('usage')
    .description('what was used, from the ledger')
    .addOption(dataOption())
    .option('--by <columns>', `any of ${usageColumns.join(', ')}; or request (default: key,model)`)
    .option('--since <time>', 'date or time of UTC (default: 30 days ago)')
    .option('--until <time>', 'date or time of UTC (default: now)')
    .option('--limit <rows>', 'most rows (default: 1000)')
    .option('--csv', 'print CSV')
    .option('--json', 'print JSON')
    .action(usage);
}

async function usage({ data, csv, json, ...asked }: UsageOptions): Promise<void> {
  const query = parse(usageQuery, asked);
  const report = await withDatabase({ ...(data === undefined ? {} : { data }) }, (store) =>
    usageReport(store, query, Date.now()),
  );
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (csv) process.stdout.write(csvOf(report.data));
  else process.stdout.write(tableOf(report.data));
}

function tableOf(rows: Awaited<ReturnType<typeof usageReport>>['data']): string {
  if (rows.length === 0) return 'Nothing was used.\n';
  const header = Object.keys(rows[0]!).map((name) => name.replaceAll('_', ' ').toUpperCase());
  return formatTable(
    header,
    rows.map((row) => Object.values(row).map((value) => cellText(value) || '-')),
  );
}
