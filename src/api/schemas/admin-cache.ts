import { z } from 'zod';
import { optional } from './common.js';

const name = z.string().min(1).max(256);

/** At least one; entries go that fit all. */
export const purgeRequest = z
  .strictObject({
    tenant: optional(name),
    model: optional(name.describe('id of the model that answered')),
    key: optional(
      z
        .string()
        .regex(/^[0-9a-f]{8,64}$/, 'expected 8 to 64 hexadecimal digits')
        .describe('x-sluice-cache-key of an answer, or its first digits'),
    ),
    prompt_prefix: optional(
      z.string().min(1).max(256).describe('how the prompt, or the first message, begins'),
    ),
    all: optional(z.literal(true)),
  })
  .refine(
    ({ all, ...selector }) => all || Object.values(selector).some((value) => value !== undefined),
    'expected tenant, model, key or prompt_prefix, or "all": true',
  );

export const purged = z.object({
  object: z.literal('cache.purge'),
  dropped: z.record(z.string(), z.int()).describe('entries, by level'),
});

export const cacheStats = z.object({
  object: z.literal('cache'),
  enabled: z.boolean(),
  levels: z
    .array(z.object({ level: z.string(), entries: z.int(), bytes: z.int() }))
    .describe('l1: memory; l2: the data folder'),
});
