import { z } from 'zod';
import { bytes } from './bytes.js';

export const semanticCacheSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('answer requests that allow it from answers to questions which mean the same (L3)'),
  byDefault: z.boolean().default(false).describe('requests that do not say allow it'),
  keys: z.array(z.string().min(1)).max(10_000).default([]).describe('ids of keys whose requests allow it'),
  minCosine: z.number().min(0).max(1).default(0.8).describe('least similarity of two questions, 1: the same'),
  crossCheckModel: z
    .string()
    .default('')
    .describe(
      'model that is asked whether two near questions are the same where their words differ; none if empty',
    ),
  crossCheckMinCosine: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe('least similarity of two questions that it is asked about'),
  maxEntries: z
    .int()
    .min(1)
    .max(200_000)
    .default(10_000)
    .describe('answers kept; their vectors are in memory, 1.5 kB each'),
  maxBytes: bytes()
    .default(256 * 2 ** 20)
    .describe('bytes of answers kept in the data folder'),
  timeoutMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(250)
    .describe('time a look-up may take, with the vector that is made for it'),
});
