import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { RawConnection } from '../client/raw-http.js';
import type { RequestTrace } from '../client/types.js';
import { summarise } from '../measure.js';
import { compareRuns } from '../report/compare.js';
import { readCpu, usageBetween } from '../servers/cpu-meter.js';
import {
  type GatewayName,
  gatewayNames,
  prepareGateways,
  type RunningGateway,
  startGateway,
  startStub,
} from '../servers/gateways.js';
import type { ServerProcess } from '../servers/server.js';
import { poissonArrivalsMs } from '../workload/arrivals.js';
import { seededRandom } from '../workload/random.js';
import { gatewayFigures } from './gateway-figures.js';
import type { Outcome, Progress, Run } from './outcome.js';

export const gatewayOptionsSchema = z.object({
  gateways: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(gatewayNames)).min(1)),
  rounds: z.coerce.number().int().min(1).max(100),
  seconds: z.coerce.number().min(1).max(600),
});

const BODY = JSON.stringify({
  model: 'stub',
  messages: [{ role: 'user', content: 'Say something about a fox.' }],
  max_tokens: 64,
});
const WARM_UP_MS = 3_000;
const WARM_UP_CLIENTS = 8;
const PACED_CONNECTIONS = 64;
const SEED = 1;
/** Requests have no tokens to wait for; the schema asks for a level. */
const LEVEL = { ttftMs: 1000, tpotMs: 100 };

/** What a gateway adds to a request: the same requests to a stub directly, and through each gateway, interleaved. */
export async function gateway(
  { gateways, rounds, seconds }: z.output<typeof gatewayOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  await prepareGateways(gateways, progress);
  const stub = await startStub();
  const runs: Run[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const name of gateways) {
        progress(`round ${round}: ${name}`);
        runs.push(...(await turn(name, round, seconds * 1000, stub)));
      }
    }
  } finally {
    await stub.stop();
  }
  const comparisons = compareRuns(runs, 'direct');
  const figures = gatewayFigures(runs);
  return {
    scenario: 'gateway',
    options: { gateways: gateways.join(','), rounds, seconds },
    runs,
    comparisons,
    figures,
  };
}

async function turn(
  name: GatewayName,
  round: number,
  durationMs: number,
  stub: ServerProcess,
): Promise<Run[]> {
  const running = await startGateway(name, stub.url);
  const measured = running.process ?? stub;
  try {
    await closedLoop(running, WARM_UP_CLIENTS, WARM_UP_MS);
    const loads: [string, () => Promise<Load>][] = [
      ['1 client', () => closedLoop(running, 1, durationMs)],
      ['500 requests a second', () => pacedLoop(running, 500, durationMs)],
      ['32 clients', () => closedLoop(running, 32, durationMs)],
    ];
    const runs: Run[] = [];
    for (const [workload, load] of loads) {
      const before = await readCpu(measured.pid);
      const result = await load();
      const usage = usageBetween(before, await readCpu(measured.pid));
      runs.push({
        server: name,
        serverVersion: running.version,
        commandLine: measured.commandLine,
        workload,
        round,
        purpose: 'measure',
        summary: summarise(result, LEVEL),
        usage,
      });
    }
    return runs;
  } finally {
    await running.process?.stop();
  }
}

interface Load {
  traces: RequestTrace[];
  wallMs: number;
  skippedArrivals: number;
}

/** Each connection sends its next request when its last is answered. */
async function closedLoop(running: RunningGateway, clients: number, durationMs: number): Promise<Load> {
  const connections = await openAll(running, clients);
  const traces: RequestTrace[] = [];
  const startedAtMs = performance.now();
  const endMs = startedAtMs + durationMs;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < endMs) traces.push(await oneRequest(connection, performance.now()));
    }),
  );
  for (const connection of connections) connection.close();
  return { traces, wallMs: performance.now() - startedAtMs, skippedArrivals: 0 };
}

/** Requests come when they come; one that finds every connection busy is skipped. A late timer doesn't count as latency. */
async function pacedLoop(running: RunningGateway, ratePerSecond: number, durationMs: number): Promise<Load> {
  const free = await openAll(running, PACED_CONNECTIONS);
  const connections = [...free];
  const traces: RequestTrace[] = [];
  const inFlight = new Set<Promise<void>>();
  let skippedArrivals = 0;
  const startedAtMs = performance.now();
  for (const atMs of poissonArrivalsMs(ratePerSecond, seededRandom(SEED))) {
    if (atMs > durationMs) break;
    const waitMs = startedAtMs + atMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const connection = free.pop();
    if (!connection) {
      skippedArrivals += 1;
      continue;
    }
    const request = oneRequest(connection, performance.now()).then((trace) => {
      traces.push(trace);
      free.push(connection);
      inFlight.delete(request);
    });
    inFlight.add(request);
  }
  await Promise.all(inFlight);
  for (const connection of connections) connection.close();
  return { traces, wallMs: performance.now() - startedAtMs, skippedArrivals };
}

function openAll({ url, headers }: RunningGateway, count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => RawConnection.open(url, headers, BODY)));
}

async function oneRequest(connection: RawConnection, startedAtMs: number): Promise<RequestTrace> {
  const status = await connection.exchange();
  const endedAtMs = performance.now();
  return {
    startedAtMs,
    endedAtMs,
    tokenAtMs: [endedAtMs],
    outputTokens: 1,
    promptTokens: null,
    cachedTokens: null,
    endings: 1,
    outcome: status === 200 ? 'finished' : 'failed',
    error: status === 200 ? null : `http_${status}`,
  };
}
