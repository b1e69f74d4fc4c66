import type { Summary } from '../measure.js';
import type { Spread } from '../statistics.js';
import { type Comparison, type Figure, meetsTarget, type Report } from './schema.js';

/** Rows as aligned columns: the first left, the others right. */
export function alignColumns(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

export function formatSummary(summary: Summary): string {
  const { requests } = summary;
  const lines = [
    `requests  ${requests.finished} finished, ${requests.cancelled} cancelled, ${requests.failed} failed` +
      (requests.skippedArrivals > 0 ? `, ${requests.skippedArrivals} arrivals skipped` : ''),
    ...Object.entries(summary.errors).map(([kind, count]) => `  ${kind}: ${count}`),
    `duration  ${number(summary.wallSeconds)} s`,
    `rate      ${number(summary.requestsPerSecond)} req/s, ${number(summary.outputTokensPerSecond)} tok/s out, ` +
      `${number(summary.promptTokensPerSecond)} tok/s in${cachedNote(summary.cachedPromptShare)}`,
    `goodput   ${number(summary.goodput.requestsPerSecond)} req/s (TTFT ≤ ${summary.goodput.level.ttftMs} ms, ` +
      `TPOT ≤ ${summary.goodput.level.tpotMs} ms: ${number(summary.goodput.share * 100)} %)`,
  ];
  const rows = [
    ['ms', 'mean', 'p50', 'p90', 'p99', 'max'],
    ...spreadRow('TTFT', summary.ttftMs),
    ...spreadRow('ITL', summary.itlMs),
    ...spreadRow('TPOT', summary.tpotMs),
    ...spreadRow('E2E', summary.e2eMs),
  ];
  return `${lines.join('\n')}\n${alignColumns(rows)}`;
}

export function formatReport(report: Report): string {
  const parts = [
    `${report.scenario}: ${report.machine.cpuModel}, ${report.machine.cores} cores, ${report.commit}`,
  ];
  if (report.comparisons.length > 0) parts.push(formatComparisons(report.comparisons));
  else
    for (const run of report.runs)
      parts.push(`${run.server}, ${run.workload}\n${formatSummary(run.summary)}`);
  if (report.figures.length > 0) parts.push(formatFigures(report.figures));
  return `${parts.join('\n\n')}\n`;
}

function formatComparisons(comparisons: readonly Comparison[]): string {
  const servers = [...new Set(comparisons.flatMap((comparison) => Object.keys(comparison.medians)))];
  const header = ['workload, metric', 'unit', ...servers];
  const rows = comparisons.map((comparison) => [
    `${comparison.workload}, ${comparison.metric}`,
    comparison.unit,
    ...servers.map((server) => cell(comparison, server)),
  ]);
  return alignColumns([header, ...rows]);
}

function cell(comparison: Comparison, server: string): string {
  const value = comparison.medians[server];
  if (value === undefined) return '-';
  const ratio = comparison.ratios[server];
  return ratio === undefined ? number(value) : `${number(value)} (${ratio.toFixed(2)}×)`;
}

function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const target = figure.target;
    const bound = target === null ? '' : `${target.bound === 'atMost' ? '≤' : '≥'} ${number(target.value)}`;
    const met = meetsTarget(figure);
    return [
      figure.name,
      number(figure.value),
      figure.unit,
      bound,
      met === null ? '' : met ? 'met' : 'MISSED',
    ];
  });
  return alignColumns([['figure', 'value', 'unit', 'target', ''], ...rows]);
}

function spreadRow(name: string, spread: Spread | null): string[][] {
  if (spread === null) return [];
  return [[name, ...[spread.mean, spread.p50, spread.p90, spread.p99, spread.max].map(number)]];
}

function cachedNote(share: number | null): string {
  return share === null ? '' : ` (${number(share * 100)} % from cache)`;
}

/** Three significant digits, whole from 100. */
function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
