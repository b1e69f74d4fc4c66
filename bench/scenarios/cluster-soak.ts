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
/** Of a process: V8 would let hundreds of MiB of garbage lie, and what stays wouldn't be seen under it. */
const HEAP_MIB = 64;
const MAX_GROWTH_MIB = 24; // of a process
const MAX_REDIS_GROWTH_MIB = 4;
const WATCH_INTERVAL_MS = 500;
const QUIET_MS = 6_000; // two leases: what nobody needs is swept up
const MAX_RESULTS = 1024; // entries of a gateway's stream, which is cut every 256

/** What a soak looks at, at one moment. */
interface Snapshot {
  redisMiB: number; // that Redis has allocated
  residentMiB: Map<string, number>; // by process
  results: number; // entries of the longest stream of results
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
      members.set(`worker ${number}`, await startStub(stub, HEAP_MIB));
    const gateways: ServerProcess[] = [];
    for (let number = 1; number <= GATEWAYS; number += 1) {
      gateways.push(await startGateway(redis, HEAP_MIB));
      members.set(`gateway ${number}`, gateways.at(-1)!);
    }
    const warmRequests = Math.floor(requests * WARM_SHARE);
    const failures = await burst(gateways, connections, warmRequests);
    progress(`${warmRequests} requests done`);
    const startedMs = performance.now();
    const [laterFailures, snapshots] = await whileWatching(
      redis,
      members,
      burst(gateways, connections, requests - warmRequests),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    await delay(QUIET_MS);
    const third = Math.ceil(snapshots.length / 3);
    const [first, last] = [lowest(snapshots.slice(0, third)), lowest(snapshots.slice(-third))];
    for (const [status, count] of countsOf([...failures, ...laterFailures]))
      progress(`${count} were answered with ${status}`);
    progress(`${requests} requests done`);
    return {
      scenario: 'cluster-soak',
      options: { requests, connections, gateways: GATEWAYS, workers: WORKERS, stepMs: STEP_MS },
      runs: [],
      comparisons: [],
      figures: [
        figure('requests', requests, 'requests'),
        figure('not answered with 200', failures.length + laterFailures.length, 'requests', atMost(0)),
        figure('requests a second, since warm', (requests - warmRequests) / seconds, 'req/s'),
        figure(
          'longest stream of results while it ran',
          longestOf(snapshots),
          'entries',
          atMost(MAX_RESULTS),
        ),
        figure('entries and bodies left in queues', await leftInQueues(redis), 'entries', atMost(0)),
        figure("Redis's memory, last third", last.redisMiB, 'MiB'),
        figure(
          "growth of Redis's memory",
          last.redisMiB - first.redisMiB,
          'MiB',
          atMost(MAX_REDIS_GROWTH_MIB),
        ),
        ...[...last.residentMiB].flatMap(([name, lastMiB]) => [
          figure(`${name}: resident, last third`, lastMiB, 'MiB'),
          figure(`${name}: growth`, lastMiB - first.residentMiB.get(name)!, 'MiB', atMost(MAX_GROWTH_MIB)),
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

/** The result, and what was seen meanwhile. */
async function whileWatching<T>(
  redis: BenchRedis,
  members: ReadonlyMap<string, ServerProcess>,
  work: Promise<T>,
): Promise<[T, Snapshot[]]> {
  const snapshots: Snapshot[] = [];
  const watching = new AbortController();
  const watch = async () => {
    while (!watching.signal.aborted) {
      snapshots.push(await snapshot(redis, members));
      await delay(WATCH_INTERVAL_MS);
    }
  };
  const watched = watch();
  try {
    return [await work, snapshots];
  } finally {
    watching.abort();
    await watched;
  }
}

/** Heaps rise and fall by tens of MiB between collections; what stays is at the bottom. */
function lowest(snapshots: readonly Snapshot[]): Pick<Snapshot, 'redisMiB' | 'residentMiB'> {
  const least = (read: (snapshot: Snapshot) => number) => Math.min(...snapshots.map(read));
  const names = [...snapshots[0]!.residentMiB.keys()];
  return {
    redisMiB: least(({ redisMiB }) => redisMiB),
    residentMiB: new Map(names.map((name) => [name, least(({ residentMiB }) => residentMiB.get(name)!)])),
  };
}

function longestOf(snapshots: readonly Snapshot[]): number {
  return Math.max(...snapshots.map(({ results }) => results));
}

async function snapshot(redis: BenchRedis, members: ReadonlyMap<string, ServerProcess>): Promise<Snapshot> {
  const memory = String(await redis.send('INFO', 'memory'));
  const redisMiB = Number(/^used_memory:(\d+)/m.exec(memory)![1]) / 2 ** 20;
  const residentMiB = new Map<string, number>();
  for (const [name, { pid }] of [...members, ['redis', redis] as const])
    residentMiB.set(name, (await readProcessUsage(pid)).rssMiB);
  let results = 0;
  for (const key of await keysLike(redis, '*:results'))
    results = Math.max(results, Number(await redis.send('XLEN', key)));
  return { redisMiB, residentMiB, results };
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
