import { basename } from 'node:path';
import { z } from 'zod';
import { type ServiceLevel, summarise } from '../measure.js';
import { tunedSettings } from '../servers/llama-server.js';
import type { PeerName, PeerSetup } from '../servers/peers.js';
import { median } from '../statistics.js';
import { poissonArrivalsMs } from '../workload/arrivals.js';
import { deriveSeed, seededRandom } from '../workload/random.js';
import { runLoad } from '../workload/run-load.js';
import { atLeast, figure, type Outcome, type Progress } from './outcome.js';
import { comparedOptionsSchema, prepareSetup } from './peer-options.js';
import { withPeer, workloadPlan } from './turn.js';

const WORKLOAD = { promptTokens: 128, outputTokens: 64, sharedTokens: 0 };
const SEQUENCES = 64;
const GOOD_SHARE = 0.95; // of the requests, for a rate to count as held
const BISECTIONS = 3;
const RATE_MAX = 1000;

export const goodputOptionsSchema = comparedOptionsSchema.extend({
  seconds: z.coerce.number().gt(0).max(3600),
  startRate: z.coerce.number().gt(0).max(RATE_MAX),
  sloTtftMs: z.coerce.number().gt(0),
  sloTpotMs: z.coerce.number().gt(0),
});

type Options = z.output<typeof goodputOptionsSchema>;

/** The highest rate of arrivals that each server holds within the service level. */
export async function goodput(options: Options, progress: Progress): Promise<Outcome> {
  const setup = await prepareSetup(options, options.peers);
  const rates = new Map<PeerName, number[]>(options.peers.map((peer) => [peer, []]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const peer of options.peers) {
      const rate = await highestRate(options.startRate, async (tried) => {
        const share = await goodShare(peer, setup, tried, options, deriveSeed(options.seed, round));
        progress(
          `round ${round}  ${peer}: ${tried.toFixed(2)} requests/s, ${(share * 100).toFixed(0)} % good`,
        );
        return share >= GOOD_SHARE;
      });
      rates.get(peer)!.push(rate);
    }
  }
  const of = (peer: PeerName) => median(rates.get(peer)!);
  const isCompared = rates.has('sluice') && rates.has('llama-server');
  const { threads, rounds, seconds, sloTtftMs, sloTpotMs, seed } = options;
  return {
    scenario: 'goodput',
    options: { model: basename(setup.modelPath), threads, rounds, seconds, sloTtftMs, sloTpotMs, seed },
    runs: [],
    comparisons: [],
    figures: [
      ...options.peers.map((peer) => figure(`${peer}: highest rate`, of(peer), 'requests/s')),
      ...(isCompared
        ? [figure('Sluice / llama-server', of('sluice') / of('llama-server'), '×', atLeast(2))]
        : []),
    ],
  };
}

/** Doubles or halves the rate until one is held and twice it isn't, then halves the gap a few times. */
export async function highestRate(
  start: number,
  isHeld: (rate: number) => Promise<boolean>,
): Promise<number> {
  let held = start;
  let missed: number | null = null;
  while (!(await isHeld(held))) {
    missed = held;
    held /= 2;
    if (held < start / 64) return 0;
  }
  while (missed === null) {
    if (held * 2 > RATE_MAX) return held;
    if (await isHeld(held * 2)) held *= 2;
    else missed = held * 2;
  }
  let gone: number = missed;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle: number = (held + gone) / 2;
    if (await isHeld(middle)) held = middle;
    else gone = middle;
  }
  return held;
}

function goodShare(
  peer: PeerName,
  setup: PeerSetup,
  rate: number,
  options: Options,
  seed: number,
): Promise<number> {
  const level: ServiceLevel = { ttftMs: options.sloTtftMs, tpotMs: options.sloTpotMs };
  const capacity = {
    sequences: SEQUENCES,
    tokensPerSequence: WORKLOAD.promptTokens + WORKLOAD.outputTokens,
  };
  return withPeer(peer, setup, capacity, tunedSettings(WORKLOAD), async (_server, client) => {
    const result = await runLoad(client, workloadPlan(WORKLOAD, seed), {
      shape: {
        kind: 'open',
        arrivalsMs: poissonArrivalsMs(rate, seededRandom(seed)),
        maxInFlight: 4 * SEQUENCES,
      },
      requests: Math.ceil(rate * options.seconds * 2),
      durationMs: options.seconds * 1000,
    });
    const { goodput, requests } = summarise(result, level);
    const arrived = result.traces.length + requests.skippedArrivals;
    return arrived === 0 ? 1 : (goodput.share * result.traces.length) / arrived;
  });
}
