import { basename } from 'node:path';
import { z } from 'zod';
import { llamaServerDefaults } from '../servers/llama-server.js';
import { fetchMetrics, metricTotal, type Sample } from '../servers/metrics.js';
import { parseLengths } from '../workload/lengths.js';
import { createPrompts } from '../workload/prompts.js';
import { runLoad } from '../workload/run-load.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { TOKEN_RANGE, withPeer } from './turn.js';

const SAMPLE_EVERY_MS = 250; // as often as the engine reports
const DURATION_MS = 3_600_000;
const TOKENS_MAX = 2048;

export const kvWasteOptionsSchema = peerOptionsSchema.extend({
  clients: z.coerce.number().int().min(1).max(1024),
  requests: z.coerce.number().int().min(1).max(100_000),
  pageSize: z.coerce.number().int().min(8).max(256),
});

/** Cells of the KV pool that running sequences hold and have no token for, under a mix of lengths as in ShareGPT. */
export async function kvWaste(
  options: z.output<typeof kvWasteOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice']);
  const prompts = createPrompts({
    seed: options.seed,
    form: 'tokens',
    lengths: parseLengths('sharegpt-in'),
    outputLengths: parseLengths('sharegpt-out'),
    sharedTokens: 0,
    tokenRange: TOKEN_RANGE,
  });
  const { pageSize } = options;
  const capacity = { sequences: options.clients, tokensPerSequence: TOKENS_MAX, pageSize };
  const shares = await withPeer('sluice', setup, capacity, llamaServerDefaults, async (server, client) => {
    const seen: number[] = [];
    let running = true;
    const sampler = (async () => {
      for (; running; await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS))) {
        const share = unusedShare(await fetchMetrics(server.url), pageSize);
        if (share !== null) seen.push(share);
      }
    })();
    progress(`${options.requests} requests at ${options.clients} clients`);
    await runLoad(client, (index) => ({ ...prompts(index), cancel: null }), {
      shape: { kind: 'closed', clients: options.clients },
      requests: options.requests,
      durationMs: DURATION_MS,
    });
    running = false;
    await sampler;
    return seen;
  });
  const { clients, requests, threads, seed } = options;
  return {
    scenario: 'kv-waste',
    options: { model: basename(setup.modelPath), clients, requests, pageSize, threads, seed },
    runs: [],
    comparisons: [],
    figures: [
      figure('samples', shares.length, 'samples'),
      figure(
        'allocated but unused',
        (shares.reduce((sum, share) => sum + share, 0) / shares.length) * 100,
        '% of live cells',
        atMost(4),
      ),
    ],
  };
}

/** Of the cells that running sequences hold; null where none runs. */
export function unusedShare(samples: readonly Sample[], pageSize: number): number | null {
  const pages = metricTotal(samples, 'sluice_kv_pages', { state: 'live' });
  return pages === 0 ? null : metricTotal(samples, 'sluice_kv_unused_cells') / (pages * pageSize);
}
