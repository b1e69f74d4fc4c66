import { z } from 'zod';
import { compareRuns } from '../report/compare.js';
import {
  type GatewayName,
  gatewayNames,
  prepareGateways,
  startGateway,
  startStub,
} from '../servers/gateways.js';
import type { ServerProcess } from '../servers/server.js';
import { closedLoop, pacedLoop } from '../workload/raw-load.js';
import type { LoadResult } from '../workload/run-load.js';
import { gatewayFigures } from './gateway-figures.js';
import { measuredRun } from './measured-run.js';
import type { Outcome, Progress, Run } from './outcome.js';

const QUICK = { rounds: 2, seconds: 4 };

export const gatewayOptionsSchema = z
  .object({
    gateways: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(gatewayNames)).min(1)),
    rounds: z.coerce.number().int().min(1).max(100),
    seconds: z.coerce.number().min(1).max(600),
    quick: z.boolean().default(false),
  })
  .transform(({ quick, ...options }) => (quick ? { ...options, ...QUICK } : options));

const BODY = JSON.stringify({
  model: 'stub',
  messages: [{ role: 'user', content: 'Say something about a fox.' }],
  max_tokens: 64,
});
const WARM_UP_MS = 3_000;
const WARM_UP_CLIENTS = 8;

/** What a gateway adds to a request: the same requests to a stub directly, and through each gateway, interleaved. */
export async function gateway(
  { gateways, rounds, seconds }: z.output<typeof gatewayOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  await prepareGateways(gateways, progress);
  const stub = await startStub();
  const runs: Run[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const name of gateways) {
        progress(`round ${round}: ${name}`);
        runs.push(...(await turn(name, round, seconds * 1000, stub)));
      }
    }
  } finally {
    await stub.stop();
  }
  const comparisons = compareRuns(runs, 'direct');
  const figures = gatewayFigures(runs);
  return {
    scenario: 'gateway',
    options: { gateways: gateways.join(','), rounds, seconds },
    runs,
    comparisons,
    figures,
  };
}

async function turn(
  name: GatewayName,
  round: number,
  durationMs: number,
  stub: ServerProcess,
): Promise<Run[]> {
  const running = await startGateway(name, stub.url);
  const measured = running.process ?? stub;
  try {
    const request = { ...running, body: BODY };
    await closedLoop(request, WARM_UP_CLIENTS, WARM_UP_MS);
    const loads: [string, () => Promise<LoadResult>][] = [
      ['1 client', () => closedLoop(request, 1, durationMs)],
      ['500 requests a second', () => pacedLoop(request, 500, durationMs)],
      ['32 clients', () => closedLoop(request, 32, durationMs)],
    ];
    const runs: Run[] = [];
    for (const [workload, load] of loads) {
      const what = { server: name, serverVersion: running.version, workload, round };
      runs.push(await measuredRun(what, measured, load));
    }
    return runs;
  } finally {
    await running.process?.stop();
  }
}
