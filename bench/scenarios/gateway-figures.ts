import { median } from '../statistics.js';
import { atLeast, atMost, type Figure, figure, type Run } from './outcome.js';

/** What each gateway adds to the stub's own time, and what it can carry; medians over the rounds. */
export function gatewayFigures(runs: readonly Run[]): Figure[] {
  const servers = [...new Set(runs.map(({ server }) => server))].filter((server) => server !== 'direct');
  const p50 = (server: string, workload: string) =>
    medianOf(runs, server, workload, (run) => run.summary.e2eMs?.p50);
  const p99 = (server: string, workload: string) =>
    medianOf(runs, server, workload, (run) => run.summary.e2eMs?.p99);
  const rate = (server: string) =>
    medianOf(runs, server, '32 clients', (run) => run.summary.requestsPerSecond);
  const added = (server: string, workload = '1 client') => p50(server, workload) - p50('direct', workload);
  const cpuMicroseconds = (server: string) =>
    medianOf(runs, server, '32 clients', ({ usage, summary }) =>
      usage === null ? undefined : (usage.cpuCores / summary.requestsPerSecond) * 1e6,
    );
  const paced = '500 requests a second';
  const figures: Figure[] = [];
  for (const server of servers) {
    const isOurs = server === 'sluice';
    figures.push(
      figure(`${server}: added at 1 client, p50`, added(server), 'ms', isOurs ? atMost(0.3) : null),
      figure(`${server}: added at 500 req/s, p50`, added(server, paced), 'ms', isOurs ? atMost(0.3) : null),
      figure(`${server}: requests at 32 clients`, rate(server), 'req/s', isOurs ? atLeast(5000) : null),
      figure(`${server}: CPU a request at 32 clients`, cpuMicroseconds(server), 'µs', null),
    );
  }
  if (!servers.includes('sluice')) return figures;
  figures.push(
    figure('sluice: added at 500 req/s, p99', p99('sluice', paced) - p99('direct', paced), 'ms', atMost(2)),
  );
  if (servers.includes('litellm'))
    figures.push(
      figure('litellm adds, times what sluice adds', added('litellm') / added('sluice'), '×', atLeast(20)),
    );
  if (servers.includes('portkey')) {
    figures.push(
      figure('portkey adds, times what sluice adds', added('portkey') / added('sluice'), '×', atLeast(3)),
      figure('sluice carries, times what portkey carries', rate('sluice') / rate('portkey'), '×', atLeast(3)),
    );
  }
  return figures;
}

function medianOf(
  runs: readonly Run[],
  server: string,
  workload: string,
  read: (run: Run) => number | undefined,
): number {
  return median(
    runs
      .filter((run) => run.server === server && run.workload === workload)
      .flatMap((run) => read(run) ?? []),
  );
}
