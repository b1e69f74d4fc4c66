import { basename } from 'node:path';
import { z } from 'zod';
import { compareRuns, isFaulty } from '../report/compare.js';
import type { Run } from '../report/schema.js';
import { type LlamaServerSettings, tunedSettings } from '../servers/llama-server.js';
import { type PeerName, type PeerSetup, peerVersion } from '../servers/peers.js';
import { sweepSettings } from '../servers/sweep.js';
import { deriveSeed } from '../workload/random.js';
import { selectWorkloads, type Workload, workloads } from '../workload/workloads.js';
import type { Outcome, Progress } from './outcome.js';
import { comparedOptionsSchema, prepareSetup } from './peer-options.js';
import { measureTurn } from './turn.js';

export const peersOptionsSchema = comparedOptionsSchema.extend({
  workloads: z
    .string()
    .transform((text) => (text === 'all' ? workloads : selectWorkloads(text.split(',').map(Number)))),
  sweep: z.boolean(),
});

type PeersOptions = z.output<typeof peersOptionsSchema>;

const LEVEL = { ttftMs: 1000, tpotMs: 100 };
const BASELINE = 'llama-server';
const SWEEP_MIN_GAIN = 0.02; // repeated turns differ by 1–2 % on a quiet machine

/** All peers on all workloads, interleaved: each round gives every peer one turn. */
export async function peers(options: PeersOptions, progress: Progress): Promise<Outcome> {
  const setup = await prepareSetup(options, options.peers);
  const versions = new Map<PeerName, string>();
  for (const peer of options.peers) versions.set(peer, await peerVersion(peer, setup));
  const runs: Run[] = [];
  const turn = async (peer: PeerName, workload: Workload, round: number, settings: LlamaServerSettings) => {
    const seed = deriveSeed(options.seed, workloads.indexOf(workload) * 1000 + round);
    const measured = await measureTurn(peer, setup, workload, seed, settings, LEVEL);
    const { outputTokensPerSecond, ttftMs, itlMs, requests } = measured.summary;
    progress(
      `${workload.name}  round ${round}  ${peer}: ${outputTokensPerSecond.toFixed(1)} tok/s, ` +
        `TTFT p50/p99 ${ttftMs?.p50.toFixed(0)}/${ttftMs?.p99.toFixed(0)} ms, ` +
        `ITL p50/p99 ${itlMs?.p50.toFixed(0)}/${itlMs?.p99.toFixed(0)} ms, ${requests.failed} failed, others took ${measured.usage.otherCpuCores.toFixed(2)} cores`,
    );
    const { summary, usage, commandLine } = measured;
    const common = { server: peer, serverVersion: versions.get(peer)!, workload: workload.name, round };
    return { ...common, summary, usage, commandLine };
  };
  for (const workload of options.workloads) {
    const settings = options.sweep
      ? await sweep(workload, (candidate) => turn(BASELINE, workload, 1, candidate), runs, progress)
      : tunedSettings(workload);
    for (let round = 1; round <= options.rounds; round++) {
      for (const peer of options.peers) {
        runs.push({ ...(await turn(peer, workload, round, settings)), purpose: 'measure' });
      }
    }
  }
  return {
    scenario: 'peers',
    options: describe(options, setup),
    runs,
    comparisons: compareRuns(runs, BASELINE),
    figures: [],
  };
}

/** llama-server's best settings for the workload, by throughput of one turn each. */
async function sweep(
  workload: Workload,
  turn: (settings: LlamaServerSettings) => Promise<Omit<Run, 'purpose'>>,
  runs: Run[],
  progress: Progress,
): Promise<LlamaServerSettings> {
  let tried = 0;
  const best = await sweepSettings(async (settings) => {
    const run = await turn(settings);
    runs.push({ ...run, round: ++tried, purpose: 'sweep' });
    return isFaulty(run.summary) ? 0 : run.summary.outputTokensPerSecond;
  }, SWEEP_MIN_GAIN);
  progress(`${workload.name}  best llama-server settings: ${JSON.stringify(best)}`);
  return best;
}

function describe(options: PeersOptions, setup: PeerSetup): Outcome['options'] {
  return {
    model: basename(setup.modelPath),
    threads: options.threads,
    peers: options.peers.join(','),
    rounds: options.rounds,
    sweep: options.sweep,
    seed: options.seed,
  };
}
