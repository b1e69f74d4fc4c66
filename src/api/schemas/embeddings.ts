import { z } from 'zod';
import { optional, tokenId } from './common.js';

const text = z.string().min(1);
const tokens = z.array(tokenId).min(1);

export const embeddingRequest = z.object({
  input: z
    .union([text, z.array(text).min(1), tokens, z.array(tokens).min(1)], {
      error: 'expected a text, texts, token ids, or arrays of token ids; none of them empty',
    })
    .describe("token ids are the embedding model's own, and taken as they are"),
  model: optional(z.string().min(1).max(256).describe('the embedding model; the served one if absent')),
  encoding_format: optional(
    z.enum(['float', 'base64']).describe('base64: of 32-bit floats, little-endian; float if absent'),
  ),
  dimensions: optional(z.int().min(1).describe("the model's own number; it can't make shorter vectors")),
  truncate: optional(z.boolean().describe('cut texts that are too long; false, they are refused, if absent')),
  user: optional(z.string().max(1024)),
});

export type EmbeddingWireRequest = z.output<typeof embeddingRequest>;

export const embeddingResponse = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]).describe('of length 1'),
    }),
  ),
  model: z.string(),
  usage: z.object({
    prompt_tokens: z.int(),
    total_tokens: z.int(),
    cost: z.number().optional().describe('dollars; where there are keys'),
  }),
});
