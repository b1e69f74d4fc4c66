import { basename } from 'node:path';
import { z } from 'zod';
import { createClient, protocols } from '../client/create.js';
import type { RequestTrace } from '../client/types.js';
import { llamaServerDefaults } from '../servers/llama-server.js';
import { fetchMetrics, metricTotal, type Sample } from '../servers/metrics.js';
import { startPeer } from '../servers/peers.js';
import { readProcessUsage } from '../servers/process-usage.js';
import type { ServerProcess } from '../servers/server.js';
import { createPrompts } from '../workload/prompts.js';
import { deriveSeed, randomInteger, seededRandom } from '../workload/random.js';
import { runLoad } from '../workload/run-load.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { TOKEN_RANGE } from './turn.js';

const CONNECTIONS = 64;
const CANCELLED_SHARE = 0.4;
const CANCEL_AFTER_MS = { low: 50, high: 4000 };
const DURATION_MS = 3_600_000;
const TIMEOUT_MS = 600_000;
const QUIET_TIMEOUT_MS = 10_000;
const QUIET_POLL_MS = 50;
const WARM_SHARE = 0.3; // of the requests, before memory is expected to stay flat
const MAX_GROWTH_MIB = 32;
const KV_BYTES = 256 * 2 ** 20; // the pool takes memory as it fills: the warm requests fill this one

export const soakOptionsSchema = peerOptionsSchema.extend({
  requests: z.coerce.number().int().min(10).max(1_000_000),
  protocol: z.enum(protocols).exclude(['native']),
});

const exactly = atMost;

/** Many requests, many of them cancelled at random: each ends once, pages come back, memory stays flat. */
export async function soak(
  options: z.output<typeof soakOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice']);
  const capacity = { sequences: CONNECTIONS, tokensPerSequence: 512, kvBytes: KV_BYTES };
  const server = await startPeer('sluice', setup, capacity, llamaServerDefaults);
  try {
    const warmRequests = Math.floor(options.requests * WARM_SHARE);
    const before = await quietMetrics(server);
    const first = await burst(server, options, 0, warmRequests);
    const warmMiB = (await readProcessUsage(server.pid)).rssMiB;
    progress(`${warmRequests} requests done, ${warmMiB.toFixed(0)} MiB resident`);
    const second = await burst(server, options, warmRequests, options.requests - warmRequests);
    const endMiB = (await readProcessUsage(server.pid)).rssMiB;
    progress(`${options.requests} requests done, ${endMiB.toFixed(0)} MiB resident`);
    return {
      scenario: 'soak',
      options: {
        model: basename(setup.modelPath),
        threads: options.threads,
        requests: options.requests,
        connections: CONNECTIONS,
        protocol: options.protocol,
        seed: options.seed,
      },
      runs: [],
      comparisons: [],
      figures: [
        ...outcomeFigures([...first, ...second]),
        ...serverFigures(before, await quietMetrics(server), options.requests),
        figure('resident memory at the end', endMiB, 'MiB'),
        figure('growth since warm', endMiB - warmMiB, 'MiB', atMost(MAX_GROWTH_MIB)),
      ],
    };
  } finally {
    await server.stop();
  }
}

async function burst(
  server: ServerProcess,
  options: z.output<typeof soakOptionsSchema>,
  from: number,
  requests: number,
): Promise<RequestTrace[]> {
  const prompts = createPrompts({
    seed: options.seed,
    form: 'tokens',
    lengths: { kind: 'uniform', low: 8, high: 160 },
    outputLengths: { kind: 'uniform', low: 1, high: 64 },
    sharedTokens: 4,
    tokenRange: TOKEN_RANGE,
  });
  const models = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
  const client = await createClient({
    url: server.url,
    protocol: options.protocol,
    model: models.data[0]!.id,
    apiKey: null,
    generations: CONNECTIONS,
    timeoutMs: TIMEOUT_MS,
  });
  try {
    const plan = (index: number) => ({
      ...prompts(from + index),
      cancel: randomCancel(options.seed, from + index),
    });
    const shape = { kind: 'closed' as const, clients: CONNECTIONS };
    return (await runLoad(client, plan, { shape, requests, durationMs: DURATION_MS })).traces;
  } finally {
    client.close();
  }
}

function randomCancel(seed: number, index: number): AbortSignal | null {
  const random = seededRandom(deriveSeed(~seed, index));
  if (random() >= CANCELLED_SHARE) return null;
  return AbortSignal.timeout(randomInteger(random, CANCEL_AFTER_MS.low, CANCEL_AFTER_MS.high));
}

function outcomeFigures(traces: RequestTrace[]): Outcome['figures'] {
  const count = (outcome: RequestTrace['outcome']) =>
    traces.filter((trace) => trace.outcome === outcome).length;
  return [
    figure('finished', count('finished'), 'requests'),
    figure('cancelled', count('cancelled'), 'requests'),
    figure('failed, or ended other than once', count('failed'), 'requests', exactly(0)),
  ];
}

function serverFigures(
  before: readonly Sample[],
  after: readonly Sample[],
  requests: number,
): Outcome['figures'] {
  const pages = (samples: readonly Sample[]) => metricTotal(samples, 'sluice_kv_pages');
  const answered = (samples: readonly Sample[]) =>
    samples.filter(({ name }) => name === 'llm_requests_total').reduce((sum, { value }) => sum + value, 0);
  const unaccounted = requests - (answered(after) - answered(before));
  return [
    figure('pages lost', Math.abs(pages(before) - pages(after)), 'pages', exactly(0)),
    figure('pages still live', metricTotal(after, 'sluice_kv_pages', { state: 'live' }), 'pages', exactly(0)),
    figure('sequences left', metricTotal(after, 'sluice_sequences'), 'sequences', exactly(0)),
    figure('requests without exactly one outcome', Math.abs(unaccounted), 'requests', exactly(0)),
  ];
}

/** Metrics once nothing runs; those after the time limit if something still does. */
async function quietMetrics(server: ServerProcess): Promise<Sample[]> {
  const deadlineMs = performance.now() + QUIET_TIMEOUT_MS;
  while (true) {
    const samples = await fetchMetrics(server.url);
    const busy =
      metricTotal(samples, 'sluice_sequences') + metricTotal(samples, 'sluice_kv_pages', { state: 'live' });
    if (busy === 0 || performance.now() > deadlineMs) return samples;
    await new Promise((resolve) => setTimeout(resolve, QUIET_POLL_MS));
  }
}
