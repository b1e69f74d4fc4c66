import { z } from 'zod';
import { optional } from './common.js';

const MAX_TEXT = 100_000;

export const feedbackRequest = z
  .object({
    request_id: z.string().min(1).max(256).describe("the answer's id, such as cmpl-… or chatcmpl-…"),
    rating: optional(
      z
        .union([z.enum(['up', 'down']), z.number().min(0).max(1)], {
          error: 'expected "up", "down" or 0 to 1',
        })
        .describe('how good it was'),
    ),
    correction: optional(z.string().min(1).max(MAX_TEXT).describe('what the answer should have been')),
    comment: optional(z.string().min(1).max(MAX_TEXT)),
  })
  .refine(
    ({ rating, correction, comment }) =>
      rating !== undefined || correction !== undefined || comment !== undefined,
    {
      message: 'give a rating, a correction or a comment',
    },
  );

export const feedbackResponse = z.object({
  object: z.literal('feedback'),
  request_id: z.string(),
  kept: z.boolean().describe('false where the server has no data folder'),
});

const comparison = z.object({
  variant: z.string(),
  against: z.string(),
  measure: z.enum(['quality', 'latency', 'cost']),
  interval: z
    .object({ low: z.number(), high: z.number() })
    .describe('of the difference, valid at any time: points of score, or the logarithm of the ratio'),
  verdict: z.enum(['worse', 'better', 'undecided']),
  action: z.string(),
});

export const evaluationStatus = z.object({
  object: z.literal('evaluation'),
  pending: z.int().describe('requests that wait to be evaluated, or are'),
  models: z.array(
    z.object({
      model: z.string(),
      samples: z.int(),
      mean: z
        .number()
        .nullable()
        .describe('score of the last evaluation.alertSamples; null: not as many yet'),
    }),
  ),
  routes: z.array(
    z.object({
      route: z.string(),
      samples: z.record(z.string(), z.int()),
      comparisons: z.array(comparison),
    }),
  ),
  scorers: z
    .array(z.object({ model: z.string(), scorer: z.string(), samples: z.int(), mean: z.number() }))
    .describe('of the last samples that are kept, each by what it was scored by'),
  calibration: z
    .array(
      z.object({
        route: z.string(),
        model: z.string(),
        bins: z.array(z.object({ estimated: z.number(), scored: z.number(), samples: z.int() })),
      }),
    )
    .describe("estimates of cascades' steps against the scores that their answers got"),
});
