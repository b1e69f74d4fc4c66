import { z } from 'zod';
import { bytes } from './bytes.js';

export const backgroundSchema = z.strictObject({
  maxRequests: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe('background requests of one key, under way, and as many results kept'),
  maxResultBytes: bytes()
    .default(16 * 2 ** 20)
    .describe('bytes of results kept for one key; beyond, the oldest go'),
  retentionSeconds: z.number().gt(0).max(604_800).default(3600).describe('time that a result is kept'),
});
