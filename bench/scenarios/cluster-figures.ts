import { median, spread } from '../statistics.js';
import { atLeast, atMost, type Figure, figure, type Run } from './outcome.js';

export const ANSWER_TOKENS = 16; // of whole answers
export const oneClient = 'streams, 1 client';
export const thirtyTwoClients = 'streams, 32 clients';
export const whole = 'whole answers, 128 clients';
export const scaling = (workers: number) => `whole answers, workers of four sequences: ${workers}`;

/** Medians over the rounds. */
export function clusterFigures(runs: readonly Run[], workers: readonly number[]): Figure[] {
  const medianOf = (server: string, workload: string, read: (run: Run) => number | null | undefined) =>
    median(
      runs
        .filter((run) => run.server === server && run.workload === workload)
        .flatMap((run) => read(run) ?? []),
    );
  const ttft = (server: string) => medianOf(server, oneClient, ({ summary }) => summary.ttftMs?.p50);
  const tokens = (server: string) =>
    medianOf(server, thirtyTwoClients, ({ summary }) => summary.outputTokensPerSecond);
  const rate = (server: string, workload: string) =>
    medianOf(server, workload, ({ summary }) => summary.requestsPerSecond);
  const perCore = (server: string) =>
    medianOf(server, whole, ({ summary, usage }) => usage && summary.requestsPerSecond / usage.cpuCores);
  const one = rate('queue', scaling(1));
  return [
    figure('the queue adds to TTFT, p50', ttft('queue') - ttft('embedded'), 'ms', atMost(3)),
    figure('throughput over the queue', tokens('queue') / tokens('embedded'), '× embedded', atLeast(0.95)),
    ...['queue', 'bullmq'].flatMap((server) => [
      figure(`${server}: requests`, rate(server, whole), 'req/s'),
      figure(`${server}: requests per gateway core`, perCore(server), 'req/s'),
      figure(`${server}: tokens per gateway core`, perCore(server) * ANSWER_TOKENS, 'tok/s'),
    ]),
    figure('a gateway core carries, times BullMQ', perCore('queue') / perCore('bullmq'), '×'),
    ...workers
      .filter((count) => count > 1)
      .map((count) =>
        figure(
          `${count} workers carry, times one`,
          rate('queue', scaling(count)) / one,
          '×',
          atLeast(count === 2 ? 1.9 : 0.9 * count),
        ),
      ),
  ];
}

/** From a client's hanging up to its worker's engine. */
export function cancelFigures(timesMs: readonly number[]): Figure[] {
  const { p50, p99, max } = spread(timesMs)!;
  return [
    figure('a cancel reaches the worker, p50', p50, 'ms'),
    figure('a cancel reaches the worker, p99', p99, 'ms'),
    figure('a cancel reaches the worker, at most', max, 'ms', atMost(100)),
  ];
}
