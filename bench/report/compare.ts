import type { Summary } from '../measure.js';
import { median } from '../statistics.js';
import type { Comparison, Run } from './schema.js';

interface Metric {
  name: string;
  unit: string;
  higherIsBetter: boolean;
  read(run: Run): number | undefined;
}

const latency = (
  name: string,
  key: 'ttftMs' | 'itlMs' | 'tpotMs' | 'e2eMs',
  share: 'p50' | 'p90' | 'p99',
): Metric => ({
  name: `${name} ${share}`,
  unit: 'ms',
  higherIsBetter: false,
  read: (run) => run.summary[key]?.[share],
});

const metrics: Metric[] = [
  {
    name: 'output tokens',
    unit: 'tok/s',
    higherIsBetter: true,
    read: (run) => run.summary.outputTokensPerSecond,
  },
  latency('TTFT', 'ttftMs', 'p50'),
  latency('TTFT', 'ttftMs', 'p99'),
  latency('ITL', 'itlMs', 'p50'),
  latency('ITL', 'itlMs', 'p99'),
  latency('TPOT', 'tpotMs', 'p50'),
  latency('E2E', 'e2eMs', 'p50'),
  latency('E2E', 'e2eMs', 'p99'),
  {
    name: 'goodput',
    unit: 'req/s',
    higherIsBetter: true,
    read: (run) => run.summary.goodput.requestsPerSecond,
  },
  { name: 'peak RSS', unit: 'MiB', higherIsBetter: false, read: (run) => run.usage?.peakRssMiB },
];

/** Medians over the measuring rounds of each server, and their ratios to the baseline's, per workload and metric. */
export function compareRuns(runs: readonly Run[], baseline: string): Comparison[] {
  const measured = runs.filter((run) => run.purpose === 'measure');
  const workloads = [...new Set(measured.map((run) => run.workload))];
  return workloads.flatMap((workload) => {
    const ofWorkload = measured.filter((run) => run.workload === workload);
    return metrics.flatMap((metric) => compareMetric(ofWorkload, workload, metric, baseline));
  });
}

/** True if any request of the run went wrong, so that its throughput proves nothing. */
export function isFaulty(summary: Summary): boolean {
  return summary.requests.failed > 0 || summary.requests.finished === 0;
}

function compareMetric(
  runs: readonly Run[],
  workload: string,
  metric: Metric,
  baseline: string,
): Comparison[] {
  const medians: Record<string, number> = {};
  for (const server of new Set(runs.map((run) => run.server))) {
    const values = runs.filter((run) => run.server === server).flatMap((run) => metric.read(run) ?? []);
    if (values.length > 0) medians[server] = median(values);
  }
  if (Object.keys(medians).length === 0) return [];
  const reference = medians[baseline];
  const ratios = reference
    ? Object.fromEntries(Object.entries(medians).map(([server, value]) => [server, value / reference]))
    : {};
  const { name, unit, higherIsBetter } = metric;
  return [{ workload, metric: name, unit, higherIsBetter, medians, ratios }];
}
