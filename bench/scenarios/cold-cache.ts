import { basename } from 'node:path';
import { z } from 'zod';
import { llamaServerDefaults } from '../servers/llama-server.js';
import { fetchMetrics } from '../servers/metrics.js';
import type { PeerSetup } from '../servers/peers.js';
import { median } from '../statistics.js';
import { deriveSeed } from '../workload/random.js';
import { runLoad } from '../workload/run-load.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { outsideForwardMs, type StepTimes, stepTimes, wholeStepMs } from './step-times.js';
import { withPeer, workloadPlan } from './turn.js';

const WORKLOAD = { promptTokens: 256, outputTokens: 64, sharedTokens: 0 };
const CLIENTS = 16;
const REQUESTS = 64;
const DURATION_MS = 600_000;

export const coldCacheOptionsSchema = peerOptionsSchema.extend({
  rounds: z.coerce.number().int().min(1).max(100),
});

/**
 * What the prefix cache costs where nothing is ever found in it. Forward is the same work with it and without, and
 * its noise is larger than the bound: so the time outside of it is compared, as a share of a step.
 */
export async function coldCache(
  options: z.output<typeof coldCacheOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice']);
  const cached: StepTimes[] = [];
  const uncached: StepTimes[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const seed = deriveSeed(options.seed, round);
    cached.push(await measure(setup, seed, true));
    uncached.push(await measure(setup, seed, false));
    const [on, off] = [outsideForwardMs(cached.at(-1)!), outsideForwardMs(uncached.at(-1)!)];
    progress(
      `round ${round}: outside forward ${on.toFixed(3)} ms a step with the cache, ${off.toFixed(3)} without`,
    );
  }
  const outside = (times: StepTimes[]) => median(times.map(outsideForwardMs));
  const cost = outside(cached) - outside(uncached);
  const { threads, rounds, seed } = options;
  return {
    scenario: 'cold-cache',
    options: { model: basename(setup.modelPath), threads, rounds, seed },
    runs: [],
    comparisons: [],
    figures: [
      figure('outside forward with the cache', outside(cached), 'ms a step'),
      figure('outside forward without', outside(uncached), 'ms a step'),
      figure('cost of the cache', (cost / median(cached.map(wholeStepMs))) * 100, '% of a step', atMost(1)),
    ],
  };
}

function measure(setup: PeerSetup, seed: number, prefixCache: boolean): Promise<StepTimes> {
  const capacity = {
    sequences: CLIENTS,
    tokensPerSequence: WORKLOAD.promptTokens + WORKLOAD.outputTokens,
    prefixCache,
  };
  return withPeer('sluice', setup, capacity, llamaServerDefaults, async (server, client) => {
    const before = await fetchMetrics(server.url);
    await runLoad(client, workloadPlan(WORKLOAD, seed), {
      shape: { kind: 'closed', clients: CLIENTS },
      requests: REQUESTS,
      durationMs: DURATION_MS,
    });
    return stepTimes(before, await fetchMetrics(server.url));
  });
}
