import { basename } from 'node:path';
import type { z } from 'zod';
import type { GenerationPlan, LoadClient, RequestTrace } from '../client/types.js';
import { timeToFirstTokenMs } from '../measure.js';
import { tunedSettings } from '../servers/llama-server.js';
import type { PeerName, PeerSetup } from '../servers/peers.js';
import { median, spread } from '../statistics.js';
import { deriveSeed } from '../workload/random.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';
import { type comparedOptionsSchema, prepareSetup } from './peer-options.js';
import { withPeer, workloadPlan } from './turn.js';

const STREAMS = 8;
const STREAM = { promptTokens: 64, outputTokens: 2048, sharedTokens: 0 }; // longer than any peer needs for the prompt
const LONG_PROMPT = { promptTokens: 4000, outputTokens: 8, sharedTokens: 0 };
const TOKENS_BEFORE = 24; // of each stream, before the prompt arrives

export interface StallTimes {
  medianBeforeMs: number; // gaps of the streams before the prompt arrived
  medianDuringMs: number; // gaps of the streams from its arrival to its first token
  p99DuringMs: number;
  maxDuringMs: number;
  ttftMs: number; // of the long prompt
  ttftAloneMs: number; // of another one on the idle server
}

/** What a long prompt does to those who stream, and they to it. */
export async function stall(
  options: z.output<typeof comparedOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const setup = await prepareSetup(options, options.peers);
  const times = new Map<PeerName, StallTimes[]>(options.peers.map((peer) => [peer, []]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const peer of options.peers) {
      const measured = await measureStall(peer, setup, deriveSeed(options.seed, round));
      times.get(peer)!.push(measured);
      progress(
        `round ${round}  ${peer}: ITL p50 before ${measured.medianBeforeMs.toFixed(0)} ms, ` +
          `p99 during ${measured.p99DuringMs.toFixed(0)} ms; TTFT ${measured.ttftMs.toFixed(0)} ms, ` +
          `alone ${measured.ttftAloneMs.toFixed(0)} ms`,
      );
    }
  }
  return {
    scenario: 'stall',
    options: {
      model: basename(setup.modelPath),
      threads: options.threads,
      peers: options.peers.join(','),
      rounds: options.rounds,
      seed: options.seed,
    },
    runs: [],
    comparisons: [],
    figures: options.peers.flatMap((peer) => stallFigures(peer, times.get(peer)!)),
  };
}

async function measureStall(peer: PeerName, setup: PeerSetup, seed: number): Promise<StallTimes> {
  const capacity = {
    sequences: STREAMS + 1,
    tokensPerSequence: LONG_PROMPT.promptTokens + LONG_PROMPT.outputTokens,
  };
  const stream = workloadPlan(STREAM, deriveSeed(seed, 1));
  const longPrompt = workloadPlan(LONG_PROMPT, deriveSeed(seed, 2));
  return withPeer(peer, setup, capacity, tunedSettings(STREAM), async (_server, client) => {
    const alone = await client.generate(longPrompt(0));
    const abort = new AbortController();
    const streams = await startStreams(client, (index) => ({ ...stream(index), cancel: abort.signal }));
    const disturbing = await client.generate(longPrompt(1));
    abort.abort();
    return stallTimes(await Promise.all(streams), disturbing, alone);
  });
}

/** Resolves when each stream has had its first tokens. */
async function startStreams(
  client: LoadClient,
  plan: (index: number) => GenerationPlan,
): Promise<Promise<RequestTrace>[]> {
  const streams: Promise<RequestTrace>[] = [];
  const underWay = Array.from({ length: STREAMS }, (_, index) => {
    let tokens = 0;
    return new Promise<void>((resolve, reject) => {
      const onText = () => {
        if (++tokens === TOKENS_BEFORE) resolve();
      };
      const trace = client.generate(plan(index), onText);
      streams.push(trace);
      void trace.then(({ error }) => reject(new Error(`A stream ended early: ${error}.`)));
    });
  });
  await Promise.all(underWay);
  return streams;
}

export function stallTimes(
  streams: RequestTrace[],
  disturbing: RequestTrace,
  alone: RequestTrace,
): StallTimes {
  const [ttftMs, ttftAloneMs] = [timeToFirstTokenMs(disturbing), timeToFirstTokenMs(alone)];
  if (ttftMs === null || ttftAloneMs === null) throw new Error('The long prompt had no answer.');
  const arrivalMs = disturbing.startedAtMs;
  const firstTokenMs = disturbing.tokenAtMs[0]!;
  const settledAtMs = Math.max(...streams.map((trace) => trace.tokenAtMs[0]!)); // all of them stream from here on
  if (streams.some((trace) => trace.tokenAtMs.at(-1)! < firstTokenMs && trace.outcome !== 'cancelled')) {
    throw new Error('A stream ended before the long prompt was answered.');
  }
  const before: number[] = [];
  const during: number[] = [];
  for (const { tokenAtMs } of streams) {
    for (let index = 1; index < tokenAtMs.length; index++) {
      const [from, to] = [tokenAtMs[index - 1]!, tokenAtMs[index]!];
      if (from >= settledAtMs && to <= arrivalMs) before.push(to - from);
      if (to > arrivalMs && from < firstTokenMs) during.push(to - from);
    }
    // Cancelled at the long prompt's end without a token since: the wait so far is a gap too.
    const last = tokenAtMs.at(-1)!;
    if (last < firstTokenMs) during.push(firstTokenMs - last);
  }
  const duringMs = spread(during)!;
  return {
    medianBeforeMs: median(before),
    medianDuringMs: duringMs.p50,
    p99DuringMs: duringMs.p99,
    maxDuringMs: duringMs.max,
    ttftMs,
    ttftAloneMs,
  };
}

function stallFigures(peer: PeerName, rounds: StallTimes[]): Outcome['figures'] {
  const middle = (read: (times: StallTimes) => number) => median(rounds.map(read));
  const target = (value: number) => (peer === 'sluice' ? atMost(value) : null);
  return [
    figure(
      `${peer}: ITL p50 before`,
      middle((times) => times.medianBeforeMs),
      'ms',
    ),
    figure(
      `${peer}: ITL p50 during`,
      middle((times) => times.medianDuringMs),
      'ms',
    ),
    figure(
      `${peer}: ITL p99 during`,
      middle((times) => times.p99DuringMs),
      'ms',
    ),
    figure(
      `${peer}: ITL max during`,
      middle((times) => times.maxDuringMs),
      'ms',
    ),
    figure(
      `${peer}: ITL p99 during / p50 before`,
      middle((t) => t.p99DuringMs / t.medianBeforeMs),
      '×',
      target(2),
    ),
    figure(
      `${peer}: TTFT of the prompt`,
      middle((times) => times.ttftMs),
      'ms',
    ),
    figure(
      `${peer}: its TTFT alone`,
      middle((times) => times.ttftAloneMs),
      'ms',
    ),
    figure(
      `${peer}: TTFT / alone`,
      middle((times) => times.ttftMs / times.ttftAloneMs),
      '×',
      target(2.5),
    ),
  ];
}
