import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { createClient } from '../client/create.js';
import { servedModel } from '../client/served-model.js';
import type { RequestTrace } from '../client/types.js';
import { timeToFirstTokenMs } from '../measure.js';
import { createKey } from '../servers/keys.js';
import { llamaServerDefaults } from '../servers/llama-server.js';
import { type PeerSetup, startPeer } from '../servers/peers.js';
import type { ServerProcess } from '../servers/server.js';
import { spread } from '../statistics.js';
import { poissonArrivalsMs } from '../workload/arrivals.js';
import { createPrompts } from '../workload/prompts.js';
import { deriveSeed, seededRandom } from '../workload/random.js';
import { runLoad } from '../workload/run-load.js';
import { atMost, type Figure, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { TOKEN_RANGE } from './turn.js';

const OTHERS = ['b', 'c', 'd'];
const HEAVY = 'heavy';
const OUTPUT_TOKENS = 32;
const MAX_IN_FLIGHT = 2_000;
const TIMEOUT_MS = 300_000;
const WARM_UP_SECONDS = 5;

const numbers = z
  .string()
  .transform((text) => text.split(',').map(Number))
  .pipe(z.array(z.number().int().min(1).max(4096)).min(1));

export const fairnessOptionsSchema = peerOptionsSchema.extend({
  promptTokens: numbers,
  rate: z.coerce.number().gt(0).max(1000),
  times: z.coerce.number().min(1).max(10_000),
  seconds: z.coerce.number().min(1).max(3600),
});

type Options = z.output<typeof fairnessOptionsSchema>;

/** One who sends and how often, requests a second. */
type Rates = ReadonlyMap<string, number>;

/** What one organisation's flood does to others' time to the first token: the same load of theirs beside its equal and beside its flood. */
export async function fairness(options: Options, progress: Progress): Promise<Outcome> {
  const { rate, times, seconds, threads, seed, promptTokens } = options;
  const dataFolder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const setup: PeerSetup = { ...(await prepareSetup(options, ['sluice'])), dataFolder };
  const figures: Figure[] = [];
  try {
    const keys = await keysOf(dataFolder);
    for (const tokens of promptTokens) {
      const measure = (heavyRate: number) =>
        withServer(setup, tokens, (server) => load(server, keys, ratesOf(rate, heavyRate), tokens, options));
      progress(`prompts of ${tokens} tokens, all alike`);
      const even = await measure(rate);
      progress(`prompts of ${tokens} tokens, one at ${times} times the load`);
      figures.push(...figuresOf(tokens, seconds, even, await measure(rate * times)));
    }
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
  return {
    scenario: 'fairness',
    options: {
      model: basename(setup.modelPath),
      threads,
      rate,
      times,
      seconds,
      seed,
      promptTokens: promptTokens.join(','),
    },
    runs: [],
    comparisons: [],
    figures,
  };
}

function ratesOf(rate: number, heavyRate: number): Rates {
  return new Map([...OTHERS.map((name): [string, number] => [name, rate]), [HEAVY, heavyRate]]);
}

async function keysOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for (const name of [...OTHERS, HEAVY])
    keys.set(name, await createKey(folder, '--name', name, '--org', name, '--budget', 'none'));
  return keys;
}

async function withServer<T>(
  setup: PeerSetup,
  promptTokens: number,
  use: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const capacity = { sequences: 0, tokensPerSequence: promptTokens + OUTPUT_TOKENS }; // Sluice has its own defaults
  const server = await startPeer('sluice', setup, capacity, llamaServerDefaults);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** Each organisation's requests, by its name; what came while the server was still cold is left out. */
async function load(
  server: ServerProcess,
  keys: ReadonlyMap<string, string>,
  rates: Rates,
  promptTokens: number,
  { seed, seconds }: Options,
): Promise<Map<string, RequestTrace[]>> {
  const model = (await servedModel(server.url, keys.get(HEAVY)!, TIMEOUT_MS))!;
  const warmMs = performance.now() + WARM_UP_SECONDS * 1000;
  const one = async ([name, rate]: [string, number], index: number): Promise<[string, RequestTrace[]]> => {
    const ownSeed = deriveSeed(seed, index);
    const prompts = createPrompts({
      seed: ownSeed,
      form: 'tokens',
      lengths: { kind: 'fixed', tokens: promptTokens },
      outputLengths: { kind: 'fixed', tokens: OUTPUT_TOKENS },
      sharedTokens: 0,
      tokenRange: TOKEN_RANGE,
    });
    const client = await createClient({
      url: server.url,
      protocol: 'completions',
      model,
      apiKey: keys.get(name)!,
      generations: MAX_IN_FLIGHT,
      timeoutMs: TIMEOUT_MS,
    });
    const arrivalsMs = poissonArrivalsMs(rate, seededRandom(ownSeed));
    const result = await runLoad(client, (number) => ({ ...prompts(number), cancel: null }), {
      shape: { kind: 'open', arrivalsMs, maxInFlight: MAX_IN_FLIGHT },
      requests: Number.POSITIVE_INFINITY,
      durationMs: (WARM_UP_SECONDS + seconds) * 1000,
    });
    client.close();
    return [name, result.traces.filter(({ startedAtMs }) => startedAtMs >= warmMs)];
  };
  return new Map(await Promise.all([...rates].map(one)));
}

function figuresOf(
  promptTokens: number,
  seconds: number,
  even: ReadonlyMap<string, RequestTrace[]>,
  flooded: ReadonlyMap<string, RequestTrace[]>,
): Figure[] {
  const othersIn = (traces: ReadonlyMap<string, RequestTrace[]>) => {
    const all = OTHERS.flatMap((name) => traces.get(name)!);
    return {
      failed: all.filter(({ outcome }) => outcome !== 'finished').length,
      ttftMs: spread(all.flatMap((trace) => timeToFirstTokenMs(trace) ?? []))!,
    };
  };
  const [alike, beside] = [othersIn(even), othersIn(flooded)];
  const heavy = flooded.get(HEAVY)!;
  const name = (what: string) => `prompts of ${promptTokens}: ${what}`;
  return [
    figure(name("others' p50 TTFT, all alike"), alike.ttftMs.p50, 'ms'),
    figure(name("others' p99 TTFT, all alike"), alike.ttftMs.p99, 'ms'),
    figure(name("others' p50 TTFT under the flood"), beside.ttftMs.p50, 'ms'),
    figure(name("others' p99 TTFT under the flood"), beside.ttftMs.p99, 'ms'),
    figure(name('p99, times'), beside.ttftMs.p99 / alike.ttftMs.p99, '×', atMost(2)),
    figure(name("others' requests that failed"), alike.failed + beside.failed, 'requests', atMost(0)),
    figure(
      name('the flood: answered'),
      heavy.filter(({ outcome }) => outcome === 'finished').length / seconds,
      'req/s',
    ),
    figure(
      name('the flood: refused'),
      heavy.filter(({ outcome }) => outcome === 'failed').length / seconds,
      'req/s',
    ),
  ];
}
