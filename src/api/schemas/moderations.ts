import { z } from 'zod';
import { moderationCategories } from '../../guards/detect/moderation/categories.js';
import { optional } from './common.js';

const textPart = z.object({ type: z.literal('text'), text: z.string() });

export const moderationRequest = z.object({
  model: optional(z.string().max(256).describe('taken for compatibility; there is one')),
  input: z.union([z.string(), z.array(z.string()).min(1).max(1024), z.array(textPart).min(1).max(1024)], {
    error: 'expected a string, an array of strings, or an array of text parts',
  }),
});

const byCategory = <Value extends z.ZodType>(value: Value) => z.record(z.enum(moderationCategories), value);

export const moderationResponse = z.object({
  id: z.string(),
  model: z.string(),
  results: z.array(
    z.object({
      flagged: z.boolean(),
      categories: byCategory(z.boolean()),
      category_scores: byCategory(z.number().describe('0 to 1')),
      category_applied_input_types: byCategory(z.array(z.literal('text'))),
    }),
  ),
});
