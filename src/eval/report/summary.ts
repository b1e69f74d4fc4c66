import { percentile } from '../../support/percentile.js';
import { wilsonInterval, Z_95 } from '../../support/wilson.js';
import { perCase } from '../compare/per-case.js';
import type { TrialResult, TrialStatus } from '../run/types.js';

export interface Tally {
  tag: string | null; // null: all
  cases: number;
  trials: number;
  passRate: number | null; // of scored trials, each case weighing the same; null: nothing was scored
  passRateInterval: [low: number, high: number]; // Wilson, 95 %, over cases
  meanScore: number | null;
  statuses: Record<TrialStatus, number>;
}

export interface Summary {
  all: Tally;
  byTag: Tally[];
  latencyMs: { p50: number; p95: number; p99: number } | null;
  completionTokens: number;
  dollarsPerRequest: number | null; // null: the endpoint names no costs
}

export function summarise(results: readonly TrialResult[]): Summary {
  const answers = results.flatMap(({ answer }) => answer ?? []);
  const latencies = Float64Array.from(answers.map(({ latencyMs }) => latencyMs)).sort();
  const costs = answers.flatMap(({ costDollars }) => costDollars ?? []);
  const tags = [...new Set(results.flatMap((result) => result.tags))].sort();
  const at = (share: number) => percentile(latencies, share);
  return {
    all: tally(null, results),
    byTag: tags.map((tag) =>
      tally(
        tag,
        results.filter((result) => result.tags.includes(tag)),
      ),
    ),
    latencyMs: latencies.length === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    completionTokens: answers.reduce((sum, { completionTokens }) => sum + (completionTokens ?? 0), 0),
    dollarsPerRequest: costs.length === 0 ? null : sumOf(costs) / costs.length,
  };
}

function tally(tag: string | null, results: readonly TrialResult[]): Tally {
  const statuses = { passed: 0, failed: 0, unscored: 0, error: 0 };
  for (const { status } of results) statuses[status] += 1;
  const cases = [...perCase(results).values()];
  const passes = sumOf(cases.map(({ passRate }) => passRate));
  const mean = (sum: number) => (cases.length === 0 ? null : sum / cases.length);
  return {
    tag,
    cases: new Set(results.map(({ caseId }) => caseId)).size,
    trials: results.length,
    passRate: mean(passes),
    passRateInterval: wilsonInterval(passes, cases.length, Z_95),
    meanScore: mean(sumOf(cases.map(({ score }) => score))),
    statuses,
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
