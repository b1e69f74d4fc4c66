import { z } from 'zod';
import { bytes } from './bytes.js';

const kvType = z.enum(['f16', 'bf16', 'f32', 'q8_0']);

export const engineSchema = z.strictObject({
  backend: z.enum(['auto', 'cpu', 'cuda', 'vulkan']).default('auto').describe('where the model runs'),
  gpuLayers: z.int().min(-1).default(-1).describe('layers on the GPU; -1: all'),
  mainGpu: z.int().min(0).default(0).describe('GPU for what is not split'),
  tensorSplit: z
    .array(z.number().min(0))
    .max(16)
    .default([])
    .describe('share of each GPU; empty: by free memory'),
  mmap: z.boolean().default(true).describe('map the model file instead of reading it'),
  mlock: z.boolean().default(false).describe('keep the model in RAM'),
  threads: z.int().min(0).max(1024).default(0).describe('CPU threads; 0: automatic'),
  contextLength: z
    .int()
    .min(0)
    .default(0)
    .describe('tokens a sequence may have; 0: what the model and the pool allow'),
  kvTypeK: kvType.default('f16').describe('type of cached keys'),
  kvTypeV: kvType.default('f16').describe('type of cached values'),
  flashAttention: z.enum(['auto', 'on', 'off']).default('auto').describe('flash attention'),
  attention: z
    .enum(['paged', 'stock'])
    .default('paged')
    .describe("our paged CPU kernel, or llama.cpp's own attention"),
  weights: z
    .enum(['auto', 'packed', 'stock'])
    .default('auto')
    .describe('packed: stored again for our own CPU kernels, where there are some; stock: as llama.cpp does'),
  repack: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe('serve a copy with Q5_0 and Q4_0 weights as Q8_0, of equal values: where that is faster'),
  pageSize: z
    .int()
    .min(8)
    .max(256)
    .default(16)
    .refine((size) => (size & (size - 1)) === 0, 'must be a power of two')
    .describe('KV cells a page, a power of two'),
  kvBytes: bytes().default(0).describe('memory of the KV pool; 0: by rule'),
  kvWindowShare: z
    .number()
    .gt(0)
    .max(1)
    .default(0.75)
    .describe(
      'pages of layers that see a window only, for each page of the others: fewer leave room for longer contexts, more keep more prefixes; at least what running sequences need',
    ),
  kvHostBytes: bytes()
    .default(0)
    .describe('memory for pages evicted from the pool, copied back when they are asked for again; 0: none'),
  kvDiskPath: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('folder for pages that kvHostBytes has no room for; the next start finds them'),
  kvDiskBytes: bytes()
    .default(16 * 2 ** 30)
    .describe('of that folder, for each model'),
  memoryUtilization: z.number().gt(0).max(1).default(0.9).describe('share of free GPU memory to use'),
  maxSequences: z.int().min(1).max(1024).default(64).describe('sequences that run at once'),
  guestSequences: z
    .int()
    .min(0)
    .max(64)
    .default(4)
    .describe('beyond maxSequences, for tenants that have few of them while others fill them'),
  maxBatchTokens: z.int().min(0).max(8192).default(0).describe('tokens a step; 0: automatic'),
  targetStepMs: z
    .number()
    .min(0)
    .default(50)
    .describe('step time that prompt chunks are sized for; 0: throughput mode'),
  maxQueue: z.int().min(0).max(100_000).default(1024).describe('requests that may wait'),
  watermark: z.number().min(0).max(0.5).default(0.01).describe('share of the pool kept free at admission'),
  prefixCache: z.boolean().default(true).describe('reuse computed prefixes'),
  sessionMaxTokens: z
    .int()
    .min(0)
    .default(100_000)
    .describe('tokens kept for sessions, least recently used first out'),
  speculation: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('auto: tokens guessed from the text so far are checked in one step, where that is faster'),
  speculationMaxTokens: z
    .int()
    .min(1)
    .max(32)
    .default(8)
    .describe('guessed tokens a step computes for one sequence'),
});

/** The same settings without their defaults: what one model has differently. */
export const engineOverrides = z.strictObject(
  Object.fromEntries(
    Object.entries(engineSchema.shape).map(([name, leaf]) => [name, leaf.unwrap().optional()]),
  ) as {
    [Name in keyof typeof engineSchema.shape]: z.ZodOptional<
      ReturnType<(typeof engineSchema.shape)[Name]['unwrap']>
    >;
  },
);
