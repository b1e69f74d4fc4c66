import { z } from 'zod';

/** What a result file holds. Times in ms, throughput in tokens per second, unless a name says otherwise. */

const spreadSchema = z.strictObject({
  count: z.int().min(1),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  max: z.number(),
});

export const summarySchema = z.strictObject({
  wallSeconds: z.number(),
  requests: z.strictObject({
    finished: z.int(),
    cancelled: z.int(),
    failed: z.int(),
    skippedArrivals: z.int(),
  }),
  errors: z.record(z.string(), z.int()),
  requestsPerSecond: z.number(),
  outputTokensPerSecond: z.number(),
  promptTokensPerSecond: z.number(),
  cachedPromptShare: z.number().min(0).max(1).nullable(),
  ttftMs: spreadSchema.nullable(),
  itlMs: spreadSchema.nullable(),
  tpotMs: spreadSchema.nullable(),
  e2eMs: spreadSchema.nullable(),
  goodput: z.strictObject({
    level: z.strictObject({ ttftMs: z.number(), tpotMs: z.number() }),
    requestsPerSecond: z.number(),
    share: z.number().min(0).max(1),
  }),
});

const runSchema = z.strictObject({
  server: z.string(),
  serverVersion: z.string().nullable(),
  commandLine: z.string().nullable(), // without directories; null: we didn't start it
  workload: z.string(),
  round: z.int().min(1),
  purpose: z.enum(['measure', 'sweep']),
  summary: summarySchema,
  usage: z
    .strictObject({
      peakRssMiB: z.number(), // since its start; holds the mapped model file
      cpuCores: z.number(), // busy on average while measured
      otherCpuCores: z.number(), // taken by anything but the server and the load generator
    })
    .nullable(),
});

const comparisonSchema = z.strictObject({
  workload: z.string(),
  metric: z.string(),
  unit: z.string(),
  higherIsBetter: z.boolean(),
  medians: z.record(z.string(), z.number()), // over the rounds, by server
  ratios: z.record(z.string(), z.number()), // to the baseline server's median
});

const figureSchema = z.strictObject({
  name: z.string(),
  value: z.number(),
  unit: z.string(),
  target: z.strictObject({ bound: z.enum(['atMost', 'atLeast']), value: z.number() }).nullable(),
});

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  scenario: z.string(),
  startedAt: z.iso.datetime(),
  commit: z.string(),
  node: z.string(),
  machine: z.strictObject({
    cpuModel: z.string(),
    cores: z.int(),
    cpuFlags: z.array(z.string()),
    memoryGiB: z.number(),
    gpus: z.array(z.string()),
  }),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  runs: z.array(runSchema),
  comparisons: z.array(comparisonSchema),
  figures: z.array(figureSchema),
});

export type Report = z.output<typeof reportSchema>;
export type Run = z.output<typeof runSchema>;
export type Comparison = z.output<typeof comparisonSchema>;
export type Figure = z.output<typeof figureSchema>;

export function meetsTarget(figure: Figure): boolean | null {
  if (figure.target === null) return null;
  return figure.target.bound === 'atMost'
    ? figure.value <= figure.target.value
    : figure.value >= figure.target.value;
}
