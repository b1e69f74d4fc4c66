import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { RawConnection } from '../client/raw-http.js';
import { type BenchRedis, startGateway, startRedis, startStub } from '../cluster/processes.js';
import { MODEL } from '../cluster/stepping-engine.js';
import { readProcessUsage } from '../servers/process-usage.js';
import type { ServerProcess } from '../servers/server.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';

export const clusterSoakOptionsSchema = z.object({
  requests: z.coerce.number().int().min(100).max(10_000_000),
  connections: z.coerce.number().int().min(1).max(10_000),
});

const GATEWAYS = 2;
const WORKERS = 4;
const STEP_MS = 20;
const SEQUENCES = 64;
const ANSWER_TOKENS = 4;
const PROMPT = Array.from({ length: 32 }, (_, index) => 97 + (index % 26));
const WARM_SHARE = 0.3; // of the requests, before memory is expected to stay flat
const MAX_GROWTH_MIB = 24; // of a process
const MAX_REDIS_GROWTH_MIB = 4;
const QUIET_MS = 6_000; // two leases: what nobody needs is swept up
const MAX_RESULTS = 1024; // entries of a gateway's stream, which is cut every 256

/** What a soak looks at, at one moment. */
interface Snapshot {
  redisMiB: number; // that Redis has allocated
  residentMiB: Map<string, number>; // by process
}

/** Many requests through a cluster: each is answered, nothing grows, and streams are cut. */
export async function clusterSoak(
  { requests, connections }: z.output<typeof clusterSoakOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const redis = await startRedis();
  const members = new Map<string, ServerProcess>();
  try {
    const stub = { redisUrl: redis.url, workers: 1, stepMs: STEP_MS, sequences: SEQUENCES };
    for (let number = 1; number <= WORKERS; number += 1)
      members.set(`worker ${number}`, await startStub(stub));
    const gateways: ServerProcess[] = [];
    for (let number = 1; number <= GATEWAYS; number += 1) {
      gateways.push(await startGateway(redis));
      members.set(`gateway ${number}`, gateways.at(-1)!);
    }
    const warmRequests = Math.floor(requests * WARM_SHARE);
    const failures = await burst(gateways, connections, warmRequests);
    const warm = await snapshot(redis, members);
    progress(`${warmRequests} requests done, Redis holds ${warm.redisMiB.toFixed(1)} MiB`);
    const startedMs = performance.now();
    const [laterFailures, longest] = await whileWatching(
      redis,
      burst(gateways, connections, requests - warmRequests),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    await delay(QUIET_MS);
    const end = await snapshot(redis, members);
    for (const [status, count] of countsOf([...failures, ...laterFailures]))
      progress(`${count} were answered with ${status}`);
    progress(`${requests} requests done, Redis holds ${end.redisMiB.toFixed(1)} MiB`);
    return {
      scenario: 'cluster-soak',
      options: { requests, connections, gateways: GATEWAYS, workers: WORKERS, stepMs: STEP_MS },
      runs: [],
      comparisons: [],
      figures: [
        figure('requests', requests, 'requests'),
        figure('not answered with 200', failures.length + laterFailures.length, 'requests', atMost(0)),
        figure('requests a second, since warm', (requests - warmRequests) / seconds, 'req/s'),
        figure('longest stream of results while it ran', longest, 'entries', atMost(MAX_RESULTS)),
        figure('entries and bodies left in queues', await leftInQueues(redis), 'entries', atMost(0)),
        figure("Redis's memory at the end", end.redisMiB, 'MiB'),
        figure(
          "growth of Redis's memory since warm",
          end.redisMiB - warm.redisMiB,
          'MiB',
          atMost(MAX_REDIS_GROWTH_MIB),
        ),
        ...[...end.residentMiB].flatMap(([name, residentMiB]) => [
          figure(`${name}: resident at the end`, residentMiB, 'MiB'),
          figure(
            `${name}: growth since warm`,
            residentMiB - warm.residentMiB.get(name)!,
            'MiB',
            atMost(MAX_GROWTH_MIB),
          ),
        ]),
      ],
    };
  } finally {
    await Promise.all([...members.values()].map((member) => member.stop()));
    await redis.stop();
  }
}

/** Each connection sends its next request when its last is answered. Resolves with the statuses of those that weren't 200. */
async function burst(gateways: readonly ServerProcess[], count: number, requests: number): Promise<number[]> {
  const body = JSON.stringify({ model: MODEL, prompt: PROMPT, max_tokens: ANSWER_TOKENS });
  let left = requests;
  const failures: number[] = [];
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { url } = gateways[index % gateways.length]!;
      const connection = await RawConnection.open(new URL('/v1/completions', url), {}, body);
      while (left > 0) {
        left -= 1;
        const status = await connection.exchange();
        if (status !== 200) failures.push(status);
      }
      connection.close();
    }),
  );
  return failures;
}

function countsOf(statuses: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}

/** The result, and the length of the longest stream of results meanwhile. */
async function whileWatching<T>(redis: BenchRedis, work: Promise<T>): Promise<[T, number]> {
  let longest = 0;
  const watching = new AbortController();
  const watch = async () => {
    while (!watching.signal.aborted) {
      for (const key of await keysLike(redis, '*:results'))
        longest = Math.max(longest, Number(await redis.send('XLEN', key)));
      await delay(500);
    }
  };
  const watched = watch();
  try {
    return [await work, longest];
  } finally {
    watching.abort();
    await watched;
  }
}

async function snapshot(redis: BenchRedis, members: ReadonlyMap<string, ServerProcess>): Promise<Snapshot> {
  const memory = String(await redis.send('INFO', 'memory'));
  const redisMiB = Number(/^used_memory:(\d+)/m.exec(memory)![1]) / 2 ** 20;
  const residentMiB = new Map<string, number>();
  for (const [name, { pid }] of [...members, ['redis', redis] as const])
    residentMiB.set(name, (await readProcessUsage(pid)).rssMiB);
  return { redisMiB, residentMiB };
}

async function leftInQueues(redis: BenchRedis): Promise<number> {
  let left = (await keysLike(redis, '*:body:*')).length;
  for (const pattern of ['*:work:*', '*:home:*'])
    for (const key of await keysLike(redis, pattern)) left += Number(await redis.send('XLEN', key));
  return left;
}

async function keysLike(redis: BenchRedis, pattern: string): Promise<string[]> {
  return (await redis.send('KEYS', pattern)) as string[];
}
