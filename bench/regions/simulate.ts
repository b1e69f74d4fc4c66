/** What the plan for several regions promises, by simulation. Usage: npm run simulate:regions [-- --seeds 20] */
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/support/table.js';
import { spread } from '../statistics.js';
import { type FailoverOptions, simulateFailover, threeRegions } from './failover.js';
import { type SpendingOptions, simulateSpending } from './spending.js';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '20' } } });
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);

const MINUTE_MS = 60_000;
const DOLLAR = 100_000; // millicents

const spending: SpendingOptions = {
  policy: 'leased',
  regions: 3,
  budget: 100 * DOLLAR,
  demand: 1.3,
  exchangeMs: 1000,
  aheadMs: 20_000,
  leaseMs: 30 * MINUTE_MS,
  wayMs: 60,
  cutOff: null,
  runMs: 120 * MINUTE_MS,
  seed: 0,
};
const cutOff = { fromMs: 80 * MINUTE_MS, untilMs: 100 * MINUTE_MS }; // the budget ends meanwhile
const policies: [string, Partial<SpendingOptions>][] = [
  ['a third each', { policy: 'split' }],
  ['counted, told each 10 s', { policy: 'counted', exchangeMs: 10_000 }],
  ['leased for 20 s ahead', {}],
  ['leased for 5 min ahead', { aheadMs: 5 * MINUTE_MS }],
  ['leased for 20 min ahead', { aheadMs: 20 * MINUTE_MS }],
];

const failover: FailoverOptions = {
  ...threeRegions,
  clients: 500,
  boundShare: 0.2,
  outage: { region: 0, fromMs: 5 * MINUTE_MS, untilMs: 15 * MINUTE_MS },
  runMs: 20 * MINUTE_MS,
  seed: 0,
};
const steerings: [string, Partial<FailoverOptions>][] = [
  ['names kept 60 s, checks each 10 s', { nameMs: 60_000, checkMs: 10_000 }],
  ['names kept 30 s, checks each 5 s', {}],
  ['names kept 10 s, checks each 2 s', { nameMs: 10_000, checkMs: 2000 }],
  ['anycast, checks each 2 s', { nameMs: 0, checkMs: 2000 }],
];

const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length);
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const seconds = (ms: number | undefined) => (ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`);

function budgetRows(cut: SpendingOptions['cutOff']): string[][] {
  return policies.map(([name, change]) => {
    const runs = seeds.map((seed) => simulateSpending({ ...spending, ...change, cutOff: cut, seed }));
    return [
      name,
      percent(Math.max(...runs.map(({ overspent }) => overspent)) / spending.budget),
      percent(mean(runs.map(({ wronglyRefused, requests }) => wronglyRefused / requests))),
      percent(mean(runs.map(({ unspent }) => unspent / spending.budget))),
      (mean(runs.map(({ messages }) => messages)) / (spending.runMs / 1000)).toFixed(1),
    ];
  });
}

function failoverRows(): string[][] {
  return steerings.map(([name, change]) => {
    const runs = seeds.map((seed) => simulateFailover({ ...failover, ...change, seed }));
    const down = spread(runs.flatMap(({ downMs }) => downMs));
    const detected = spread(runs.flatMap(({ detectedMs }) => detectedMs ?? []));
    return [
      name,
      seconds(detected?.max),
      seconds(down?.p50),
      seconds(down?.p99),
      seconds(down?.max),
      String(Math.max(...runs.map(({ misplaced }) => misplaced))),
      `${Math.round(spread(runs.flatMap(({ extraWayMs }) => extraWayMs))?.p50 ?? 0)} ms`,
    ];
  });
}

const budgetHeader = ['', 'overspent, most', 'wrongly refused', 'left unspent', 'messages a second'];
const cutMinutes = (cutOff.untilMs - cutOff.fromMs) / MINUTE_MS;
process.stdout.write(
  [
    `A budget over ${spending.regions} regions, ${spending.demand} times as much asked for, ${seeds.length} seeds. All well:`,
    '',
    formatTable(budgetHeader, budgetRows(null)),
    `One region cut off for ${cutMinutes} of ${spending.runMs / MINUTE_MS} minutes:`,
    '',
    formatTable(budgetHeader, budgetRows(cutOff)),
    'A region goes away; clients of it whose data may leave it, until they are answered again:',
    '',
    formatTable(['', 'left after', 'p50', 'p99', 'longest', 'misplaced', 'further one way'], failoverRows()),
  ].join('\n'),
);
