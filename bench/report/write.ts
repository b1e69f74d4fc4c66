import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isCheckout, projectRoot } from '../../src/support/root.js';
import { type BarPanel, barChart } from './bar-chart.js';
import { currentCommit } from './commit.js';
import { type LinePanel, lineChart } from './line-chart.js';
import { describeMachine } from './machine.js';
import { type Report, reportSchema } from './schema.js';

type Measured = Pick<Report, 'scenario' | 'options' | 'runs' | 'comparisons' | 'figures'>;

export function completeReport(measured: Measured, startedAt: Date): Report {
  return reportSchema.parse({
    schemaVersion: 1,
    startedAt: startedAt.toISOString(),
    commit: currentCommit(),
    node: process.version,
    machine: describeMachine(),
    ...measured,
  });
}

/** Writes `<date>-<scenario>.json` and `.svg` into `directory`; returns their paths. */
export async function writeReport(report: Report, directory: string | null): Promise<string[]> {
  const folder = directory ?? defaultFolder();
  await mkdir(folder, { recursive: true });
  const stamp = report.startedAt.slice(0, 19).replaceAll(':', '');
  const base = join(folder, `${stamp}-${report.scenario}`);
  await writeFile(`${base}.json`, `${JSON.stringify(report, null, 1)}\n`);
  const chart = drawChart(report);
  if (chart === null) return [`${base}.json`];
  await writeFile(`${base}.svg`, chart);
  return [`${base}.json`, `${base}.svg`];
}

function defaultFolder(): string {
  return isCheckout() ? join(projectRoot(), 'bench', 'results') : process.cwd();
}

function drawChart(report: Report): string | null {
  const title = `${report.scenario}, ${report.machine.cpuModel}`;
  const lines = stepPanels(report);
  if (lines.length > 0) return lineChart(title, 'tokens of context', lines);
  const bars = chartPanels(report);
  return bars.length === 0 ? null : barChart(title, bars);
}

/** Decode steps over the context, a panel for each number of sequences. */
export function stepPanels(report: Report): LinePanel[] {
  const steps = report.comparisons
    .filter(({ metric }) => metric === 'decode step')
    .map(({ workload, medians }) => {
      const [sequences, context] = workload.split(' × ').map(Number) as [number, number];
      return { sequences, context, medians };
    });
  return [...new Set(steps.map(({ sequences }) => sequences))].map((sequences) => {
    const own = steps.filter((step) => step.sequences === sequences);
    const lines = Object.keys(own[0]!.medians).map((series) => ({
      series,
      points: own.map(({ context, medians }) => ({ x: context, y: medians[series]! })),
    }));
    return { title: `decode step of ${sequences} sequences, ms`, lines };
  });
}

const CHARTED = ['output tokens', 'TTFT p99', 'ITL p99'];

/** Comparisons by metric; without any, the single runs' throughput and first-token time; without those, figures by unit. */
export function chartPanels(report: Report): BarPanel[] {
  const compared = CHARTED.flatMap((metric) => {
    const ofMetric = report.comparisons.filter((comparison) => comparison.metric === metric);
    if (ofMetric.length === 0) return [];
    return [
      {
        title: `${metric}, ${ofMetric[0]!.unit}`,
        groups: ofMetric.map(({ workload, medians }) => ({ label: workload, bars: toBars(medians) })),
      },
    ];
  });
  return compared.length > 0 ? compared : [...latencyPanels(report), ...figurePanels(report)];
}

function latencyPanels(report: Report): BarPanel[] {
  const keys = { TTFT: 'ttftMs', ITL: 'itlMs', E2E: 'e2eMs' } as const;
  return Object.entries(keys).flatMap(([name, key]) => {
    const groups = report.runs.flatMap(({ server, summary }) => {
      const spread = summary[key];
      if (spread === null) return [];
      return [{ label: server, bars: toBars({ p50: spread.p50, p90: spread.p90, p99: spread.p99 }) }];
    });
    return groups.length === 0 ? [] : [{ title: `${name}, ms`, groups }];
  });
}

function figurePanels(report: Report): BarPanel[] {
  return [...new Set(report.figures.map((figure) => figure.unit))].map((unit) => ({
    title: unit,
    groups: report.figures
      .filter((figure) => figure.unit === unit)
      .map(({ name, value }) => ({ label: name, bars: [{ series: report.scenario, value }] })),
  }));
}

function toBars(values: Record<string, number>): { series: string; value: number }[] {
  return Object.entries(values).map(([series, value]) => ({ series, value }));
}
