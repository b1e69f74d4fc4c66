import type { Command } from 'commander';
import type { Limits } from '../store/index.js';
import { formatDollars } from '../support/money.js';

export interface LimitOptions {
  rpm?: string;
  tpm?: string;
  rpd?: string;
  tpd?: string;
  concurrency?: string;
  budget?: string;
  period?: string;
}

export function addLimitOptions(command: Command): Command {
  return command
    .option('--rpm <count>', 'requests per minute, or "none"')
    .option('--tpm <count>', 'tokens per minute, prompt and answer, or "none"')
    .option('--rpd <count>', 'requests per day of UTC, or "none"')
    .option('--tpd <count>', 'tokens per day of UTC, or "none"')
    .option('--concurrency <count>', 'requests running at once, or "none"')
    .option('--budget <dollars>', 'dollars per period, or "none"')
    .option('--period <name>', 'of the budget: day, week or month of UTC');
}

/** As the admin routes take them; text that isn't a number stays, for the schema to refuse. */
export function wireLimitsOf(options: LimitOptions): Record<string, unknown> {
  const { rpm, tpm, rpd, tpd, concurrency, budget, period } = options;
  const numbers = Object.entries({ rpm, tpm, rpd, tpd, concurrency, budget }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text === 'none' ? null : numberOf(text)] as const],
  );
  return { ...Object.fromEntries(numbers), ...(period === undefined ? {} : { period }) };
}

function numberOf(text: string): number | string {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : text;
}

/** "5 rpm, $1.50 a month". */
export function describeLimits(limits: Limits | null | undefined): string {
  if (!limits) return '';
  const { requestsPerMinute, tokensPerMinute, requestsPerDay, tokensPerDay, concurrency, budget } = limits;
  const counts = Object.entries({
    rpm: requestsPerMinute,
    tpm: tokensPerMinute,
    rpd: requestsPerDay,
    tpd: tokensPerDay,
    'at once': concurrency,
  });
  const parts = counts.flatMap(([unit, count]) => (count === null ? [] : [`${count} ${unit}`]));
  if (budget) parts.push(`${formatDollars(budget.nanodollars)} a ${budget.period}`);
  return parts.join(', ');
}
