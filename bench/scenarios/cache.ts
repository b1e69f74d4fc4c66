import { z } from 'zod';
import { RawConnection } from '../client/raw-http.js';
import { type RunningGateway, startGateway, startStub } from '../servers/gateways.js';
import { fetchMetrics, metricTotal } from '../servers/metrics.js';
import { median } from '../statistics.js';
import { closedLoop, pacedLoop, type RepeatedRequest } from '../workload/raw-load.js';
import type { LoadResult } from '../workload/run-load.js';
import { measuredRun } from './measured-run.js';
import { atLeast, atMost, type Figure, figure, type Outcome, type Progress, type Run } from './outcome.js';

export const cacheOptionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(100),
  seconds: z.coerce.number().min(1).max(600),
});

const CLIENTS = 32;
const WARM_UP_MS = 3_000;
const ALIKE = 64; // requests at once
const ALIKE_ROUNDS = 20;

const hits = `hits, ${CLIENTS} clients`;
const pacedHits = 'hits, 1000 requests a second';
const streamedHits = `streamed hits, ${CLIENTS} clients`;
const kept = `computed and kept, ${CLIENTS} clients`;
const uncached = `not cached, ${CLIENTS} clients`;

/** What the cache carries, and what it adds to who finds nothing in it: Sluice before a stub upstream. */
export async function cache(
  { rounds, seconds }: z.output<typeof cacheOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const stub = await startStub();
  const runs: Run[] = [];
  const computedOfAlike: number[] = [];
  try {
    const running = await startGateway('sluice', stub.url);
    const sluice = running.process!;
    try {
      await closedLoop(requestTo(running), CLIENTS, WARM_UP_MS);
      for (let round = 1; round <= rounds; round += 1) {
        for (const [workload, load] of loadsOf(running, seconds * 1000)) {
          progress(`round ${round}: ${workload}`);
          runs.push(
            await measuredRun({ server: 'sluice', serverVersion: null, workload, round }, sluice, load),
          );
        }
        computedOfAlike.push(await alike(running, round));
      }
    } finally {
      await sluice.stop();
    }
  } finally {
    await stub.stop();
  }
  const figures = figuresOf(runs, median(computedOfAlike));
  return { scenario: 'cache', options: { rounds, seconds }, runs, comparisons: [], figures };
}

function loadsOf(
  running: RunningGateway,
  durationMs: number,
): [workload: string, load: () => Promise<LoadResult>][] {
  return [
    [hits, () => closedLoop(requestTo(running), CLIENTS, durationMs)],
    [pacedHits, () => pacedLoop(requestTo(running), 1000, durationMs)],
    [streamedHits, () => closedLoop(requestTo(running, { stream: true }), CLIENTS, durationMs)],
    [kept, () => closedLoop(requestTo(running, {}, 'no-cache'), CLIENTS, durationMs)],
    [uncached, () => closedLoop(requestTo(running, {}, 'no-store'), CLIENTS, durationMs)],
  ];
}

function requestTo(
  { url, headers }: RunningGateway,
  more: object = {},
  cacheControl?: string,
): RepeatedRequest {
  const messages = [{ role: 'user', content: 'Say something about a fox.' }];
  const body = JSON.stringify({ model: 'stub', messages, max_tokens: 64, temperature: 0, ...more });
  const control = cacheControl === undefined ? {} : { 'cache-control': cacheControl };
  return { url, headers: { ...headers, ...control }, body };
}

/** How many of so many requests that ask the same at once are computed. */
async function alike(running: RunningGateway, round: number): Promise<number> {
  const computed = async () =>
    metricTotal(await fetchMetrics(running.url.origin, running.headers), 'llm_cache_misses_total');
  const before = await computed();
  for (let turn = 0; turn < ALIKE_ROUNDS; turn += 1) {
    const { url, headers, body } = requestTo(running, { stop: `${round}/${turn}` });
    const connections = await Promise.all(
      Array.from({ length: ALIKE }, () => RawConnection.open(url, headers, body)),
    );
    const statuses = await Promise.all(connections.map((connection) => connection.exchange()));
    for (const connection of connections) connection.close();
    if (statuses.some((status) => status !== 200)) throw new Error(`answered ${[...new Set(statuses)]}`);
  }
  return ((await computed()) - before) / ALIKE_ROUNDS;
}

function figuresOf(runs: readonly Run[], computedOfAlike: number): Figure[] {
  const medianOf = (workload: string, read: (run: Run) => number | undefined) =>
    median(runs.filter((run) => run.workload === workload).flatMap((run) => read(run) ?? []));
  const rate = (workload: string) => medianOf(workload, ({ summary }) => summary.requestsPerSecond);
  const p50 = (workload: string) => medianOf(workload, ({ summary }) => summary.e2eMs?.p50);
  const p99 = (workload: string) => medianOf(workload, ({ summary }) => summary.e2eMs?.p99);
  return [
    figure(hits, rate(hits), 'req/s', atLeast(10_000)),
    figure(`${pacedHits}: p50`, p50(pacedHits), 'ms', atMost(1)),
    figure(`${pacedHits}: p99`, p99(pacedHits), 'ms'),
    figure(streamedHits, rate(streamedHits), 'req/s'),
    figure(kept, rate(kept), 'req/s'),
    figure(uncached, rate(uncached), 'req/s'),
    figure(`computed, of ${ALIKE} requests alike at once`, computedOfAlike, 'requests', atMost(1)),
  ];
}
