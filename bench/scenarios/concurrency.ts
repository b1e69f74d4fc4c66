import { basename } from 'node:path';
import { z } from 'zod';
import type { RequestTrace } from '../client/types.js';
import { type LlamaServerSettings, llamaServerDefaults } from '../servers/llama-server.js';
import type { Capacity, PeerName, PeerSetup } from '../servers/peers.js';
import { parseLengths } from '../workload/lengths.js';
import { createPrompts } from '../workload/prompts.js';
import { runLoad } from '../workload/run-load.js';
import { atLeast, atMost, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { TOKEN_RANGE, withPeer } from './turn.js';

const DURATION_MS = 3_600_000;
const TOKENS_MAX = 2048;
const CELL_BLOCK = 256; // llama-server rounds a slot's context up to more than it needs

// Of the default model; for another one the memory compared is another.
const LAYER_CELL_BYTES = 2 * 256 * 2;
const FULL_LAYERS = 3;
const WINDOW_LAYERS = 15;
const WINDOW_CELLS = 512 + 512; // a slot's: the window and a batch

export const concurrencyOptionsSchema = peerOptionsSchema.extend({
  slots: z.coerce.number().int().min(1).max(64),
  clients: z.coerce.number().int().min(2).max(1024),
  requests: z.coerce.number().int().min(1).max(100_000),
  unified: z.boolean(),
});

type Options = z.output<typeof concurrencyOptionsSchema>;

/**
 * How many sequences generate at once in the memory that llama-server needs for a few slots, each long enough for the
 * longest request; with `unified` also what becomes of the requests where its slots share one cache of that many cells.
 */
export async function concurrency(options: Options, progress: Progress): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice', 'llama-server']);
  const { slots, clients, requests, threads, seed } = options;
  const cells = slots * (TOKENS_MAX + CELL_BLOCK);
  const kvBytes = LAYER_CELL_BYTES * (cells * FULL_LAYERS + slots * WINDOW_CELLS * WINDOW_LAYERS);
  const measure = async (peer: PeerName, capacity: Capacity, settings = llamaServerDefaults) => {
    const traces = await run(peer, setup, capacity, settings, options);
    const result = { atOnce: generatingAtOnce(traces), failed: failures(traces) };
    const name = peer === 'sluice' ? peer : `${peer}, KV ${settings.kv}`;
    progress(`${name}: ${result.atOnce.toFixed(1)} at once, ${result.failed} failed`);
    return result;
  };
  const tokensPerSequence = TOKENS_MAX;
  const sluice = await measure('sluice', { sequences: clients, tokensPerSequence, kvBytes });
  const split = await measure('llama-server', { sequences: slots, tokensPerSequence });
  const figures = [
    figure('KV memory', kvBytes / 2 ** 20, 'MiB'),
    figure('Sluice: generating at once', sluice.atOnce, 'sequences'),
    figure('llama-server, split KV: generating at once', split.atOnce, 'sequences'),
    figure('Sluice beside it', sluice.atOnce / split.atOnce, '×', atLeast(2.5)),
    figure('Sluice: failed', sluice.failed, 'requests', atMost(0)),
  ];
  if (options.unified) {
    const each = Math.floor(cells / clients / CELL_BLOCK) * CELL_BLOCK - 1;
    const shared = { sequences: clients, tokensPerSequence: each };
    const { failed } = await measure('llama-server', shared, { ...llamaServerDefaults, kv: 'unified' });
    figures.push(figure('llama-server, unified KV: failed', failed, 'requests'));
  }
  return {
    scenario: 'concurrency',
    options: { model: basename(setup.modelPath), slots, clients, requests, threads, seed },
    runs: [],
    comparisons: [],
    figures,
  };
}

function run(
  peer: PeerName,
  setup: PeerSetup,
  capacity: Capacity,
  settings: LlamaServerSettings,
  { clients, requests, seed }: Options,
): Promise<RequestTrace[]> {
  const prompts = createPrompts({
    seed,
    form: 'tokens',
    lengths: parseLengths('sharegpt-in'),
    outputLengths: parseLengths('sharegpt-out'),
    sharedTokens: 0,
    tokenRange: TOKEN_RANGE,
  });
  return withPeer(peer, setup, capacity, settings, async (_server, client) => {
    const { traces } = await runLoad(client, (index) => ({ ...prompts(index), cancel: null }), {
      shape: { kind: 'closed', clients },
      requests,
      durationMs: DURATION_MS,
    });
    return traces;
  });
}

function failures(traces: readonly RequestTrace[]): number {
  return traces.filter(({ outcome }) => outcome !== 'finished').length;
}

/** The mean number of requests between their first and last token, over the middle half of the time. */
export function generatingAtOnce(
  traces: readonly Pick<RequestTrace, 'startedAtMs' | 'tokenAtMs' | 'endedAtMs'>[],
): number {
  const startMs = Math.min(...traces.map(({ startedAtMs }) => startedAtMs));
  const quarterMs = (Math.max(...traces.map(({ endedAtMs }) => endedAtMs)) - startMs) / 4;
  const overlapMs = traces.map(({ tokenAtMs, endedAtMs }) =>
    Math.max(
      0,
      Math.min(endedAtMs, startMs + 3 * quarterMs) - Math.max(tokenAtMs[0] ?? endedAtMs, startMs + quarterMs),
    ),
  );
  return overlapMs.reduce((sum, ms) => sum + ms, 0) / (2 * quarterMs);
}
