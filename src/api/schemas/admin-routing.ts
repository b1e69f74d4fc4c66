import { z } from 'zod';
import { modelSpec, routeSpec } from '../../config/index.js';
import { rollbackReasons } from '../../routing/canary.js';

export const modelRequest = modelSpec;
export const routeRequest = routeSpec;

export const modelStatus = z.object({
  id: z.string(),
  kind: z.enum(['local', 'upstream', 'remote']),
  state: z.enum(['cold', 'loading', 'ready', 'failed', 'removed']),
  available: z.boolean().describe('requests would be sent to it now'),
  reason: z.string().nullable().describe('why not'),
  load_error: z.string().nullable(),
  aliases: z.array(z.string()),
  price: z
    .object({ input: z.number(), output: z.number(), cached_input: z.number() })
    .describe('dollars per million tokens'),
  context_tokens: z.int().nullable(),
  bytes: z.number().describe('memory: weights and KV pool'),
  breaker: z.enum(['closed', 'open', 'half-open']),
  first_token_p50_ms: z.number().nullable().describe('median of the last five minutes'),
  running: z.int(),
  waiting: z.int(),
  max_running: z.int(),
  last_used: z.int().describe('milliseconds since 1970'),
});

export const modelStatusList = z.object({ object: z.literal('list'), data: z.array(modelStatus) });

export const removedModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  deleted: z.literal(true),
});

const variantStatus = z.object({
  requests: z.int(),
  failures: z.int(),
  first_token_p50_ms: z.number().nullable(),
});

export const routeStatus = z.object({
  name: z.string(),
  strategy: z.string(),
  models: z.array(z.object({ model: z.string(), weight: z.number() })),
  fallbacks: z.array(z.string()),
  canary: z
    .object({
      model: z.string(),
      share: z.number(),
      rolled_back: z.enum(rollbackReasons).nullable(),
      stable_outcomes: variantStatus,
      canary_outcomes: variantStatus,
    })
    .nullable(),
});

export const routeStatusList = z.object({ object: z.literal('list'), data: z.array(routeStatus) });

export const removedRoute = z.object({
  name: z.string(),
  object: z.literal('route'),
  deleted: z.literal(true),
});

export const queueStatus = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      model: z.string(),
      running: z.int(),
      waiting: z.array(
        z.object({
          id: z.string(),
          priority: z.int(),
          position: z.int().describe('1 is next'),
          waited_ms: z.int(),
          estimate_ms: z.int(),
        }),
      ),
    }),
  ),
});
