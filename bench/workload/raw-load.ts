import { setTimeout as delay } from 'node:timers/promises';
import { RawConnection } from '../client/raw-http.js';
import type { RequestTrace } from '../client/types.js';
import { poissonArrivalsMs } from './arrivals.js';
import { seededRandom } from './random.js';
import type { LoadResult } from './run-load.js';

/** A POST that is sent over and over. */
export interface RepeatedRequest {
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string;
}

const PACED_CONNECTIONS = 64;
const SEED = 1;

/** Each connection sends its next request when its last is answered. */
export async function closedLoop(
  request: RepeatedRequest,
  clients: number,
  durationMs: number,
): Promise<LoadResult> {
  const connections = await openAll(request, clients);
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
export async function pacedLoop(
  repeated: RepeatedRequest,
  ratePerSecond: number,
  durationMs: number,
): Promise<LoadResult> {
  const free = await openAll(repeated, PACED_CONNECTIONS);
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

function openAll({ url, headers, body }: RepeatedRequest, count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => RawConnection.open(url, headers, body)));
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
