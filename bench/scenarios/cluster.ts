import { z } from 'zod';
import { createClient } from '../client/create.js';
import { cancelTimes } from '../cluster/cancels.js';
import { type BenchRedis, startBullmq, startGateway, startRedis, startStub } from '../cluster/processes.js';
import { MODEL } from '../cluster/stepping-engine.js';
import { compareRuns } from '../report/compare.js';
import type { ServerProcess } from '../servers/server.js';
import { closedLoop, type RepeatedRequest } from '../workload/raw-load.js';
import { runLoad } from '../workload/run-load.js';
import {
  ANSWER_TOKENS,
  cancelFigures,
  clusterFigures,
  oneClient,
  scaling,
  thirtyTwoClients,
  whole,
} from './cluster-figures.js';
import { measuredRun } from './measured-run.js';
import type { Outcome, Progress, Run } from './outcome.js';

export const clusterOptionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(100),
  seconds: z.coerce.number().min(1).max(600),
  workers: z
    .string()
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(1).max(64)).min(1)),
});

const STEP_MS = 20;
const SEQUENCES = 256;
const SCALED_SEQUENCES = 4; // of each worker, so that sixteen sleeping ones take little of a small machine
const STREAM_TOKENS = 64;
const WHOLE_CLIENTS = 128;
const PROMPT = Array.from({ length: 64 }, (_, index) => 97 + (index % 26));
const TIMEOUT_MS = 60_000;
const CANCELS = 200;
const WARM_UP_MS = 2_000;
/** So many that every process has compiled what a request goes through. */
const WARM_UP_CLIENTS = 32;

type Options = z.output<typeof clusterOptionsSchema>;

/** What the queue costs beside a model in the process, what a gateway carries beside BullMQ, and what more workers bring. */
export async function cluster(options: Options, progress: Progress): Promise<Outcome> {
  const runs: Run[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const turn = { round, durationMs: options.seconds * 1000 };
    progress(`round ${round}: a model in the process`);
    runs.push(...(await withEmbedded((server) => streamed('embedded', server, turn))));
    progress(`round ${round}: over the queue`);
    runs.push(
      ...(await withCluster(1, SEQUENCES, async (gateway) => [
        ...(await streamed('queue', gateway, turn)),
        await wholeAnswers('queue', gateway, whole, WHOLE_CLIENTS, turn),
      ])),
    );
    progress(`round ${round}: BullMQ`);
    runs.push(
      ...(await withBullmq(async (gateway) => [
        await wholeAnswers('bullmq', gateway, whole, WHOLE_CLIENTS, turn),
      ])),
    );
    for (const workers of options.workers) {
      progress(`round ${round}: ${workers} workers`);
      runs.push(
        ...(await withCluster(workers, SCALED_SEQUENCES, async (gateway) => [
          await wholeAnswers('queue', gateway, scaling(workers), 2 * SCALED_SEQUENCES * workers, turn),
        ])),
      );
    }
  }
  progress('clients that hang up');
  const cancels = await withRedis((redis) => cancelTimes(redis, STEP_MS, CANCELS));
  return {
    scenario: 'cluster',
    options: { ...options, workers: options.workers.join(','), stepMs: STEP_MS },
    runs,
    comparisons: compareRuns(runs, 'embedded'),
    figures: [...clusterFigures(runs, options.workers), ...cancelFigures(cancels)],
  };
}

interface Turn {
  round: number;
  durationMs: number;
}

async function streamed(name: string, server: ServerProcess, { round, durationMs }: Turn): Promise<Run[]> {
  const options = { url: server.url, protocol: 'completions' as const, model: MODEL, apiKey: null };
  const client = await createClient({ ...options, generations: 32, timeoutMs: TIMEOUT_MS });
  const load = (clients: number, forMs: number, maxTokens = STREAM_TOKENS) => {
    const shape = { kind: 'closed' as const, clients };
    const plan = () => ({ prompt: PROMPT, maxTokens, cancel: null });
    return runLoad(client, plan, { shape, requests: Number.MAX_SAFE_INTEGER, durationMs: forMs });
  };
  try {
    await load(WARM_UP_CLIENTS, WARM_UP_MS, 1);
    const runs: Run[] = [];
    for (const [workload, clients] of [
      [oneClient, 1],
      [thirtyTwoClients, 32],
    ] as const) {
      const what = { server: name, serverVersion: null, workload, round };
      runs.push(await measuredRun(what, server, () => load(clients, durationMs)));
    }
    return runs;
  } finally {
    client.close();
  }
}

async function wholeAnswers(
  name: string,
  gateway: ServerProcess,
  workload: string,
  clients: number,
  { round, durationMs }: Turn,
): Promise<Run> {
  const request: RepeatedRequest = {
    url: new URL('/v1/completions', gateway.url),
    headers: {},
    body: JSON.stringify({ model: MODEL, prompt: PROMPT, max_tokens: ANSWER_TOKENS }),
  };
  await closedLoop(request, clients, WARM_UP_MS);
  const what = { server: name, serverVersion: null, workload, round };
  return measuredRun(what, gateway, () => closedLoop(request, clients, durationMs));
}

function withEmbedded(use: (server: ServerProcess) => Promise<Run[]>): Promise<Run[]> {
  const stub = { redisUrl: null, workers: 1, stepMs: STEP_MS, sequences: SEQUENCES };
  return withAll([() => startStub(stub)], use);
}

function withCluster(
  workers: number,
  sequences: number,
  use: (gateway: ServerProcess) => Promise<Run[]>,
): Promise<Run[]> {
  return withRedis((redis) => {
    const stub = { redisUrl: redis.url, workers, stepMs: STEP_MS, sequences };
    return withAll([() => startStub(stub), () => startGateway(redis)], use);
  });
}

function withBullmq(use: (gateway: ServerProcess) => Promise<Run[]>): Promise<Run[]> {
  return withRedis((redis) => {
    const options = { redisPort: redis.port, stepMs: STEP_MS, sequences: SEQUENCES };
    return withAll([() => startBullmq('worker', options), () => startBullmq('gateway', options)], use);
  });
}

async function withRedis<T>(use: (redis: BenchRedis) => Promise<T>): Promise<T> {
  const redis = await startRedis();
  try {
    return await use(redis);
  } finally {
    await redis.stop();
  }
}

/** Starts them one after another; `use` gets the last. */
async function withAll<T>(
  starts: readonly (() => Promise<ServerProcess>)[],
  use: (last: ServerProcess) => Promise<T>,
): Promise<T> {
  const started: ServerProcess[] = [];
  try {
    for (const start of starts) started.push(await start());
    return await use(started.at(-1)!);
  } finally {
    await Promise.all(started.map((server) => server.stop()));
  }
}
