import { basename } from 'node:path';
import { z } from 'zod';
import { llamaServerDefaults } from '../servers/llama-server.js';
import { fetchMetrics } from '../servers/metrics.js';
import { runLoad } from '../workload/run-load.js';
import { atMost, type Figure, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { outsideForwardMs, phases, type StepTimes, stepTimes, wholeStepMs } from './step-times.js';
import { withPeer, workloadPlan } from './turn.js';

const WORKLOAD = { promptTokens: 64, outputTokens: 128, sharedTokens: 0 };
const DURATION_MS = 600_000;
const MANY = 256; // sequences, from which on what is outside forward is bounded in time and not in share

export const stepsOptionsSchema = peerOptionsSchema.extend({
  sequences: z
    .string()
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.int().min(1).max(1024)).min(1)),
});

/** Where the time of Sluice's steps goes, by the engine's own counters. */
export async function steps(
  options: z.output<typeof stepsOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice']);
  const figures: Figure[] = [];
  for (const sequences of options.sequences) {
    const capacity = {
      sequences,
      maxSequences: sequences,
      tokensPerSequence: WORKLOAD.promptTokens + WORKLOAD.outputTokens,
    };
    const times = await withPeer('sluice', setup, capacity, llamaServerDefaults, async (server, client) => {
      const before = await fetchMetrics(server.url);
      progress(`${sequences} requests at ${sequences} clients`);
      await runLoad(client, workloadPlan(WORKLOAD, options.seed), {
        shape: { kind: 'closed', clients: sequences },
        requests: sequences,
        durationMs: DURATION_MS,
      });
      return stepTimes(before, await fetchMetrics(server.url));
    });
    figures.push(...stepFigures(sequences, times));
  }
  const described = { model: basename(setup.modelPath), threads: options.threads, seed: options.seed };
  return { scenario: 'steps', options: described, runs: [], comparisons: [], figures };
}

export function stepFigures(sequences: number, times: StepTimes): Figure[] {
  const { msPerStep } = times;
  const isMany = sequences >= MANY;
  const named = (name: string, value: number, unit: string, target: Figure['target'] = null) =>
    figure(`@${sequences}: ${name}`, value, unit, target);
  return [
    named('steps', times.steps, 'steps'),
    named('tokens generated a step', times.generated / times.steps, 'tokens'),
    named('graphs reused', (times.graphsReused / times.steps) * 100, '% of steps'),
    ...phases.map((phase) => named(`${phase} a step`, msPerStep[phase], 'ms')),
    named('schedule and emit', msPerStep.schedule + msPerStep.emit, 'ms', isMany ? atMost(1) : null),
    named('sampling a row', (msPerStep.sample * times.steps * 1000) / times.generated, 'µs', atMost(60)),
    named(
      'outside forward',
      (outsideForwardMs(times) / wholeStepMs(times)) * 100,
      '% of a step',
      isMany ? null : atMost(5),
    ),
  ];
}
