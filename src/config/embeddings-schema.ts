import { z } from 'zod';

export const embeddingsSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('have an embedding model, and serve /v1/embeddings; the semantic cache has one in any case'),
  model: z
    .string()
    .min(1)
    .default('all-minilm-l6-v2')
    .describe('the encoder: catalog name, path, hf:, https: or pypi: reference'),
  aliases: z
    .array(z.string().min(1))
    .max(100)
    .default([])
    .describe('further names clients may use for it, such as text-embedding-3-small'),
  threads: z.int().min(0).max(1024).default(0).describe('CPU threads; 0: half of the cores, at most 4'),
  maxInputs: z.int().min(1).max(100_000).default(2048).describe('texts of one request'),
  maxQueue: z.int().min(1).max(1_000_000).default(8192).describe('texts that may wait; beyond, 429'),
  maxBatchTexts: z.int().min(1).max(256).default(32).describe('texts of one forward'),
  maxBatchTokens: z
    .int()
    .min(8)
    .max(65_536)
    .default(512)
    .describe('tokens of one forward, and so of one text; each reserves 4 bytes × the vocabulary'),
  targetBatchMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(50)
    .describe('time a forward should take; a long text alone may take more'),
});
