import { z } from 'zod';

const pages = z.object({ total: z.int(), free: z.int(), cached: z.int(), live: z.int(), host: z.int() });
const windowPages = z.object({ total: z.int(), free: z.int(), idle: z.int(), held: z.int() });

export const engineStatusList = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('engine'),
      model: z.string(),
      placement: z
        .enum(['pages', 'sequences'])
        .describe('who places KV cells: our block tables, or llama.cpp'),
      attention: z.enum(['paged', 'stock']).describe("paged: our CPU kernel; stock: llama.cpp's own"),
      attention_reason: z.string().describe("the kernel's instruction set, or why it doesn't run"),
      max_context: z.int().describe('tokens'),
      kv_bytes: z.int(),
      page_bytes: z.int(),
      pages,
      window_pages: windowPages.describe(
        'of layers whose attention has a window; 0 where they have no pages of their own',
      ),
      running: z.int(),
      waiting: z.int(),
      steps: z.int(),
      graphs_reused: z.int().describe('of the steps'),
      preemptions: z.int(),
    }),
  ),
});
