import { basename } from 'node:path';
import type { z } from 'zod';
import { llamaServerDefaults } from '../servers/llama-server.js';
import { fetchMetrics, metricTotal, type Sample } from '../servers/metrics.js';
import { runLoad } from '../workload/run-load.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';
import { type peerOptionsSchema, prepareSetup } from './peer-options.js';
import { withPeer, workloadPlan } from './turn.js';

const SEQUENCES = 32;
const WORKLOAD = { promptTokens: 64, outputTokens: 128, sharedTokens: 0 };
const REQUESTS = SEQUENCES;
const DURATION_MS = 600_000;
const PHASES = ['schedule', 'forward', 'sample', 'emit'] as const;

/** Where the time of Sluice's steps goes at 32 sequences, by the engine's own counters. */
export async function steps(
  options: z.output<typeof peerOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice']);
  const capacity = { sequences: SEQUENCES, tokensPerSequence: WORKLOAD.promptTokens + WORKLOAD.outputTokens };
  const figures = await withPeer('sluice', setup, capacity, llamaServerDefaults, async (server, client) => {
    const before = await fetchMetrics(server.url);
    progress(`${REQUESTS} requests at ${SEQUENCES} clients`);
    await runLoad(client, workloadPlan(WORKLOAD, options.seed), {
      shape: { kind: 'closed', clients: SEQUENCES },
      requests: REQUESTS,
      durationMs: DURATION_MS,
    });
    return stepFigures(before, await fetchMetrics(server.url));
  });
  const described = { model: basename(setup.modelPath), threads: options.threads, seed: options.seed };
  return { scenario: 'steps', options: described, runs: [], comparisons: [], figures };
}

export function stepFigures(before: readonly Sample[], after: readonly Sample[]): Outcome['figures'] {
  const gained = (name: string, labels: Record<string, string> = {}) =>
    metricTotal(after, name, labels) - metricTotal(before, name, labels);
  const seconds = PHASES.map((phase) => gained('sluice_step_seconds_total', { phase }));
  const total = seconds.reduce((sum, phase) => sum + phase, 0);
  const count = gained('sluice_steps_total');
  const forward = seconds[PHASES.indexOf('forward')]!;
  return [
    figure('steps', count, 'steps'),
    figure(
      'tokens generated a step',
      gained('sluice_engine_tokens_total', { kind: 'generated' }) / count,
      'tokens',
    ),
    ...PHASES.map((phase, index) => figure(`${phase} a step`, (seconds[index]! * 1000) / count, 'ms')),
    figure('outside forward', ((total - forward) / total) * 100, '% of a step', atMost(10)),
  ];
}
