import { z } from 'zod';
import { bytes } from './bytes.js';
import { engineOverrides } from './engine-schema.js';
import { priceSchema } from './price-schema.js';

/** What can be asked of a model beyond text in, text out. */
export const capabilities = [
  'chat',
  'completions',
  'tools',
  'json', // answers that follow a JSON schema
  'grammar', // answers that follow GBNF
  'logprobs',
  'prompt_logprobs',
  'tokens', // prompts of token ids
  'prefixes',
] as const;

export type Capability = (typeof capabilities)[number];

const name = z
  .string()
  .regex(/^[\w.:/@-]{1,128}$/, 'expected 1 to 128 letters, digits, or any of _ . : / @ -');
const milliseconds = (fallback: number) => z.int().min(1).max(3_600_000).default(fallback);

const upstream = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL such as https://host/v1' }),
  model: z.string().min(1).max(256).optional(), // its name there; ours if absent
  apiKey: z.string().min(1).optional(),
  apiKeyEnv: z.string().regex(/^\w+$/).optional(), // the variable that holds the key
  headers: z.record(z.string().regex(/^[\w-]+$/), z.string().regex(/^[\t\x20-\x7e]*$/)).default({}),
  caFile: z.string().optional(), // PEM; instead of the system's
  verifyTls: z.boolean().default(true),
  connectTimeoutMs: milliseconds(5_000),
  firstByteTimeoutMs: milliseconds(60_000),
  idleTimeoutMs: milliseconds(60_000), // between two pieces of an answer
  retries: z.int().min(0).max(10).default(2),
  connections: z.int().min(1).max(4096).default(256),
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
  streamUsage: z.boolean().default(true), // asks for usage at the end of streams
  probePath: z.string().startsWith('/').default('/models'), // below the URL
  probeIntervalMs: z.int().min(0).max(3_600_000).default(15_000), // 0: no active probes
});

export const modelSpec = z
  .strictObject({
    id: name,
    ref: z.string().min(1).optional(), // a local model, as model.ref
    upstream: upstream.optional(),
    aliases: z.array(name).max(100).default([]),
    price: priceSchema.optional(),
    capabilities: z.array(z.enum(capabilities)).optional(),
    contextTokens: z.int().min(1).optional(),
    maxRunning: z.int().min(1).max(100_000).optional(),
    maxWaiting: z.int().min(0).max(1_000_000).optional(),
    preload: z.boolean().default(true), // false: loaded when first asked for
    pinned: z.boolean().default(false), // never unloaded to make room
    engine: engineOverrides.default({}), // settings of "engine" that differ for this model
  })
  .refine((spec) => (spec.ref === undefined) !== (spec.upstream === undefined), {
    message: 'needs either ref (a local model) or upstream (an endpoint)',
  });

const member = z.union(
  [
    name.transform((model) => ({ model, weight: 1 })),
    z.strictObject({ model: name, weight: z.number().min(0).max(1e6).default(1) }),
  ],
  { error: 'expected a model or {model, weight}' },
);

const canary = z.strictObject({
  model: name,
  share: z.number().min(0).max(1),
  minRequests: z.int().min(1).max(200).default(30),
  maxErrorIncrease: z.number().min(0).max(1).default(0.02),
  maxLatencyRatio: z.number().gt(1).default(2),
});

const cascade = z.strictObject({
  threshold: z.number().min(0).max(1).default(0.7),
  estimator: z.enum(['combined', 'logprob', 'rules', 'judge']).default('combined'),
  judge: name.optional(), // the model that judges
});

export const routeSpec = z
  .strictObject({
    name,
    strategy: z.enum(['order', 'cheapest', 'fastest', 'weighted', 'canary', 'cascade']).default('order'),
    models: z.array(member).max(64).default([]), // empty: all that are served
    canary: canary.optional(),
    cascade: cascade.optional(),
    fallbacks: z.array(name).max(16).default([]),
  })
  .refine((route) => (route.strategy === 'canary') === (route.canary !== undefined), {
    path: ['canary'],
    message: 'strategy "canary" and the field "canary" go together',
  })
  .refine((route) => route.strategy !== 'canary' || route.models.length === 1, {
    path: ['models'],
    message: 'strategy "canary" needs exactly one stable model',
  })
  .refine((route) => route.cascade === undefined || route.strategy === 'cascade', {
    path: ['cascade'],
    message: 'belongs to strategy "cascade"',
  })
  .refine((route) => route.cascade?.estimator !== 'judge' || route.cascade.judge !== undefined, {
    path: ['cascade', 'judge'],
    message: 'estimator "judge" needs a judge',
  });

export type ModelSpec = z.output<typeof modelSpec>;
export type UpstreamSpec = z.output<typeof upstream>;
export type RouteSpec = z.output<typeof routeSpec>;

export const routingSchema = z.strictObject({
  models: z
    .array(modelSpec)
    .max(1000)
    .default([])
    .describe('further models: local ones (ref) and upstream endpoints (upstream)'),
  routes: z.array(routeSpec).max(1000).default([]).describe('names that stand for several models'),
  default: z
    .string()
    .default('')
    .describe('model, alias or route for requests that name none; empty: the first model'),
  maxWaiting: z.int().min(0).max(1_000_000).default(1024).describe('requests that may wait for one model'),
  waitTimeoutMs: milliseconds(60_000).describe('time a request may wait for its model'),
  priorityStepMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(10_000)
    .describe('head start in the queue that a priority has over the next'),
  maxModelBytes: bytes().default(0).describe('memory of loaded models together; 0: no limit'),
  drainTimeoutMs: milliseconds(600_000).describe('time running requests get when their model is unloaded'),
  maxAnswerBytes: bytes(1)
    .default(32 * 2 ** 20)
    .describe('largest answer of an upstream, and largest a cascade holds back'),
  breakerFailures: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('failures in a row that open the circuit breaker'),
  breakerCooldownMs: milliseconds(5_000).describe(
    'time an open breaker stays open; doubles up to 16 times that',
  ),
});
