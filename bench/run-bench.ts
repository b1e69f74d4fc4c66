import type { z } from 'zod';
import { SluiceError } from '../src/errors.js';
import { plainly } from '../src/support/wording.js';
import { isFaulty } from './report/compare.js';
import { meetsTarget, type Report } from './report/schema.js';
import { formatReport } from './report/terminal.js';
import { completeReport, writeReport } from './report/write.js';
import { cache, cacheOptionsSchema } from './scenarios/cache.js';
import { cluster, clusterOptionsSchema } from './scenarios/cluster.js';
import { clusterSoak, clusterSoakOptionsSchema } from './scenarios/cluster-soak.js';
import { coldCache, coldCacheOptionsSchema } from './scenarios/cold-cache.js';
import { concurrency, concurrencyOptionsSchema } from './scenarios/concurrency.js';
import { decodeGrid, decodeGridOptionsSchema } from './scenarios/decode-grid.js';
import { evalOptionsSchema, evaluation } from './scenarios/eval.js';
import { fairness, fairnessOptionsSchema } from './scenarios/fairness.js';
import { gateway, gatewayOptionsSchema } from './scenarios/gateway.js';
import { goodput, goodputOptionsSchema } from './scenarios/goodput.js';
import { guards, guardsOptionsSchema } from './scenarios/guards.js';
import { guardsHostile, guardsHostileOptionsSchema } from './scenarios/guards-hostile.js';
import { guardsQuality, guardsQualityOptionsSchema } from './scenarios/guards-quality.js';
import { kvWaste, kvWasteOptionsSchema } from './scenarios/kv-waste.js';
import { load, loadOptionsSchema } from './scenarios/load.js';
import { multiTurn, multiTurnOptionsSchema } from './scenarios/multi-turn.js';
import type { Outcome, Progress } from './scenarios/outcome.js';
import { comparedOptionsSchema } from './scenarios/peer-options.js';
import { peers, peersOptionsSchema } from './scenarios/peers.js';
import { quality, qualityOptionsSchema } from './scenarios/quality.js';
import { semanticCache, semanticCacheOptionsSchema } from './scenarios/semantic-cache.js';
import { soak, soakOptionsSchema } from './scenarios/soak.js';
import { stall } from './scenarios/stall.js';
import { steps, stepsOptionsSchema } from './scenarios/steps.js';

const progress: Progress = (line) => process.stderr.write(`${line}\n`);

const scenarios: Record<string, (options: unknown) => Promise<Outcome>> = {
  load: (options) => load(parse(loadOptionsSchema, options), process.env.SLUICE_API_KEY ?? null, progress),
  peers: (options) => peers(parse(peersOptionsSchema, options), progress),
  stall: (options) => stall(parse(comparedOptionsSchema, options), progress),
  steps: (options) => steps(parse(stepsOptionsSchema, options), progress),
  'cold-cache': (options) => coldCache(parse(coldCacheOptionsSchema, options), progress),
  'kv-waste': (options) => kvWaste(parse(kvWasteOptionsSchema, options), progress),
  concurrency: (options) => concurrency(parse(concurrencyOptionsSchema, options), progress),
  'multi-turn': (options) => multiTurn(parse(multiTurnOptionsSchema, options), progress),
  goodput: (options) => goodput(parse(goodputOptionsSchema, options), progress),
  'decode-grid': (options) => decodeGrid(parse(decodeGridOptionsSchema, options), progress),
  fairness: (options) => fairness(parse(fairnessOptionsSchema, options), progress),
  gateway: (options) => gateway(parse(gatewayOptionsSchema, options), progress),
  cluster: (options) => cluster(parse(clusterOptionsSchema, options), progress),
  'cluster-soak': (options) => clusterSoak(parse(clusterSoakOptionsSchema, options), progress),
  guards: (options) => guards(parse(guardsOptionsSchema, options), progress),
  'guards-hostile': (options) => guardsHostile(parse(guardsHostileOptionsSchema, options), progress),
  'guards-quality': (options) => guardsQuality(parse(guardsQualityOptionsSchema, options), progress),
  cache: (options) => cache(parse(cacheOptionsSchema, options), progress),
  quality: (options) => quality(parse(qualityOptionsSchema, options), progress),
  'semantic-cache': (options) => semanticCache(parse(semanticCacheOptionsSchema, options), progress),
  eval: (options) => evaluation(parse(evalOptionsSchema, options), progress),
  soak: (options) => soak(parse(soakOptionsSchema, options), progress),
};

/** Runs a scenario and reports it. The exit code is 1 where requests failed or a target was missed. */
export async function runBench(name: string, options: Record<string, unknown>): Promise<void> {
  // A signal's default action would skip the exit handlers that end the servers we started.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => process.exit(code));
  const startedAt = new Date();
  const report = completeReport(await scenarios[name]!(options), startedAt);
  const files = await writeReport(report, typeof options.out === 'string' ? options.out : null);
  process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : formatReport(report));
  for (const file of files) progress(`wrote ${file}`);
  if (!isGood(report)) process.exitCode = 1;
}

function isGood(report: Report): boolean {
  const runs = report.runs.filter((run) => run.purpose === 'measure');
  return (
    !runs.some((run) => isFaulty(run.summary)) &&
    report.figures.every((figure) => meetsTarget(figure) !== false)
  );
}

function parse<T>(schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options, plainly);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${optionOf(path)}: ${message}`);
  throw new SluiceError('invalid_value', faults.join('; '));
}

/** "sloTtftMs" as it is typed: "--slo-ttft-ms". */
function optionOf(path: readonly PropertyKey[]): string {
  return `--${path.join('.').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
