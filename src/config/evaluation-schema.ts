import { z } from 'zod';

const share = z.number().min(0).max(1);

/** Evaluation of live traffic. */
export const evaluationSchema = z.strictObject({
  share: share.default(0.01).describe('share of requests that is evaluated; 0: none'),
  routes: z
    .record(z.string(), share)
    .default({})
    .describe('other shares, by route or model: { name: share }'),
  keys: z
    .record(z.string(), share)
    .default({})
    .describe("other shares, by key's id; 0: nothing of that key is looked at or kept, for no reason"),
  rules: z
    .array(z.enum(['low_confidence', 'cache_hit', 'guard_warning', 'thumbs_down']))
    .default(['low_confidence', 'cache_hit', 'guard_warning', 'thumbs_down'])
    .describe(
      'requests that are evaluated beside the share, where that is not 0; cache_hit: of a similar question (L3)',
    ),
  lowConfidence: share.default(0.3).describe("a cascade's estimate below which confidence is low"),
  scorers: z
    .array(z.record(z.string(), z.unknown()))
    .max(20)
    .default([])
    .describe("scorers as in suites that need no expected answer, beside the built-in 'rules'"),
  judge: z.string().default('').describe('model that judges by the criteria; none: nobody'),
  criteria: z.array(z.string().min(1)).max(20).default([]).describe('what the judge goes by'),
  keepTexts: z
    .boolean()
    .default(false)
    .describe(
      'keep prompts and answers, without personal data and secrets; corrections become cases only then',
    ),
  maxTextCharacters: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(32_000)
    .describe('requests whose prompt or answer is longer are not evaluated'),
  maxPending: z.int().min(1).max(100_000).default(200).describe('requests that may wait to be evaluated'),
  maxRecent: z
    .int()
    .min(0)
    .max(100_000)
    .default(500)
    .describe('ended requests remembered in memory, for feedback that comes later'),
  retentionDays: z.int().min(1).max(36_500).default(30).describe('days that samples and feedback are kept'),
  alertBelow: share.default(0.5).describe("mean score of a model's last samples that raises an alert"),
  alertSamples: z.int().min(5).max(10_000).default(20).describe('samples that mean is taken over'),
  alertQuietMs: z
    .int()
    .min(0)
    .max(2_592_000_000)
    .default(3_600_000)
    .describe('time before the same alert is raised again'),
  driftReference: z
    .int()
    .min(20)
    .max(100_000)
    .default(200)
    .describe('first samples of a model, that later ones are compared with'),
  driftWindow: z.int().min(20).max(100_000).default(500).describe('samples before a comparison begins anew'),
  driftAlpha: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.05)
    .describe('chance that a measure ever drifts by chance, by model'),
  topics: z
    .record(z.string(), z.string())
    .default({})
    .describe('topics of prompts by pattern (RE2), the first that is found: { name: pattern }'),
  rollback: z
    .boolean()
    .default(false)
    .describe('take a variant whose quality is worse out of its route by itself'),
});

export type EvaluationConfig = z.output<typeof evaluationSchema>;
