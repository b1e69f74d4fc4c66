import { z } from 'zod';
import { backgroundSchema } from './background-schema.js';
import { bytes } from './bytes.js';
import { clusterSchema, redisSchema } from './cluster-schema.js';
import { embeddingsSchema } from './embeddings-schema.js';
import { engineSchema } from './engine-schema.js';
import { evaluationSchema } from './evaluation-schema.js';
import { guardSchema } from './guard-schema.js';
import { priceSchema } from './price-schema.js';
import { routingSchema } from './routing-schema.js';
import { semanticCacheSchema } from './semantic-cache-schema.js';

/**
 * Every setting, with its unit and default. A setting's path (`http.maxBodyBytes`) names it in the file, as
 * SLUICE_HTTP_MAX_BODY_BYTES in the environment, and in messages.
 */

const serverSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  port: z.int().min(0).max(65535).default(8080).describe('TCP port; 0 takes a free one'),
  insecureNoAuth: z
    .boolean()
    .default(false)
    .describe('listen on an address other than loopback although there are no keys'),
  maxConnections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(8192)
    .describe('open connections; more are closed at once'),
  drainTimeoutMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('time running requests get at shutdown'),
});

const httpSchema = z.strictObject({
  maxBodyBytes: bytes(1)
    .default(4 * 2 ** 20)
    .describe('largest request body'),
  maxReceivingBytes: bytes(1)
    .default(256 * 2 ** 20)
    .describe('bytes that all bodies being received may hold together'),
  bodyTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(20_000) // uWS closes a silent connection after 28 to 32 s, without an answer
    .describe('time a body may take to arrive'),
  maxHeaderBytes: bytes(1)
    .default(16 * 2 ** 10)
    .describe('largest request head (start line and headers)'),
  maxStreamBufferBytes: bytes(1)
    .default(2 ** 20)
    .describe('unsent bytes a stream may hold before its slow reader is dropped'),
  pingIntervalMs: z
    .int()
    .min(100)
    .max(300_000)
    .default(15_000)
    .describe('silence before a stream sends a comment'),
  corsOrigins: z
    .array(z.string())
    .max(100)
    .default([])
    .describe('browser origins that may call the API; "*" for any; none by default'),
  allowedHosts: z
    .array(z.string())
    .max(100)
    .default([])
    .describe(
      'names beside localhost and IP addresses that the Host header may carry while listening on loopback',
    ),
});

const websocketSchema = z.strictObject({
  maxMessageBytes: bytes(1)
    .default(4 * 2 ** 20)
    .describe('largest message from a client'),
  maxBufferBytes: bytes(1)
    .default(2 ** 20)
    .describe('unsent bytes a socket may hold before it is closed'),
  maxInFlight: z.int().min(1).max(10_000).default(256).describe('generations running on one socket'),
  idleTimeoutSeconds: z.int().min(8).max(960).default(120).describe('silence before a dead peer is dropped'),
});

const requestsSchema = z.strictObject({
  defaultMaxTokens: z.int().min(1).default(1024).describe('max_tokens where a request has none'),
  defaultTemperature: z.number().min(0).max(2).default(0.7).describe('temperature where a request has none'),
  maxSequences: z.int().min(1).max(1024).default(128).describe('prompts × n of one request'),
  maxGrammarBytes: bytes()
    .default(64 * 2 ** 10)
    .describe('largest grammar or JSON schema'),
  maxAnswerEntries: z
    .int()
    .min(1)
    .default(2_000_000)
    .describe('echoed tokens, log-probabilities and their alternatives in one answer'),
  maxTimeoutMs: z
    .int()
    .min(1000)
    .default(3_600_000)
    .describe('longest a request may take, and the default deadline'),
  maxPinnedPrefixes: z.int().min(0).max(100_000).default(256).describe('pinned prefixes of one tenant'),
});

/** `model.ref` of a process that has no model of its own. */
export const NO_MODEL = 'none';

const modelSchema = z.strictObject({
  ref: z
    .string()
    .min(1)
    .default('gemma-3-270m')
    .describe('catalog name, path, hf:, https: or pypi: reference; none: only those of routing.models'),
  aliases: z
    .array(z.string().min(1))
    .max(100)
    .default([])
    .describe('further names clients may use for the model'),
});

const textSchema = z.strictObject({
  threads: z.int().min(1).max(64).default(2).describe('worker threads that tokenise and render'),
  maxQueue: z.int().min(1).max(100_000).default(4096).describe('texts that may wait for a worker'),
});

const dataSchema = z.strictObject({
  dir: z
    .string()
    .default('')
    .describe('folder of keys, limits and usage; by default $XDG_DATA_HOME/sluice or ~/.local/share/sluice'),
});

const costSchema = z.strictObject({
  prices: z
    .record(z.string(), priceSchema)
    .default({})
    .describe('dollars per million tokens by model: { name: { input, output, cachedInput } }'),
  localPrice: priceSchema
    .default({ input: 0.05, output: 0.2, cachedInput: 0.005 })
    .describe('notional price of models that run here and are not in cost.prices'),
  unknownPrice: priceSchema
    .default({ input: 10, output: 30 })
    .describe('price of other models that are not in cost.prices; the ledger marks it as "default"'),
});

const cacheSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('answer repeated requests from memory and the data folder'),
  sampled: z
    .boolean()
    .default(false)
    .describe('cache also answers that are left to chance: a temperature above 0 and no seed'),
  ttlSeconds: z.number().gt(0).max(31_536_000).default(3600).describe('longest that an answer is kept'),
  ttlJitter: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('answers expire by up to this share of cache.ttlSeconds sooner, so that not all do at once'),
  maxAnswerBytes: bytes()
    .default(512 * 2 ** 10)
    .describe('largest answer kept; a hit is sent at once, so no more than a stream may hold unsent'),
  memoryEntries: z.int().min(1).max(10_000_000).default(1000).describe('answers kept in memory (L1)'),
  memoryBytes: bytes()
    .default(64 * 2 ** 20)
    .describe('bytes of answers kept in memory'),
  diskEntries: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(100_000)
    .describe('answers kept in the data folder (L2); 0: none'),
  diskBytes: bytes()
    .default(2 ** 30)
    .describe('bytes of answers kept in the data folder'),
  redisEntries: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(100_000)
    .describe('answers kept in Redis (L2) in the place of the data folder, where there is one; 0: none'),
  redisBytes: bytes()
    .default(256 * 2 ** 20)
    .describe('bytes of answers kept in Redis'),
  diskTimeoutMs: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('time a look-up beyond memory may take; past it the answer is computed'),
});

const alertsSchema = z
  .strictObject({
    url: z
      .union([z.literal(''), z.url({ protocol: /^https?$/ })], { error: 'expected an http(s) address' })
      .default('')
      .describe('where budget alerts are sent; none: nowhere'),
    secret: z.string().default('').describe('key of the HMAC that signs alerts'),
  })
  .refine(({ url, secret }) => url === '' || secret.length >= 16, {
    path: ['secret'],
    message: 'alerts are signed: give a secret of at least 16 characters',
  });

const usageSchema = z.strictObject({
  retentionDays: z.int().min(32).max(36_500).default(400).describe('days that the usage ledger goes back'),
  maxPending: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('ended requests that may wait to be recorded; beyond, new ones are refused'),
});

const logSchema = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least level'),
  prompts: z.boolean().default(false).describe("log requests' texts too: they may be private"),
});

const telemetrySchema = z.strictObject({
  otlpUrl: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })], { error: 'expected an http(s) address' })
    .default('')
    .describe(
      'OTLP/HTTP collector that traces are sent to, such as http://localhost:4318; by default what OTEL_EXPORTER_OTLP_ENDPOINT says, or nowhere',
    ),
  otlpHeaders: z
    .record(z.string(), z.string())
    .default({})
    .describe('headers for the collector, such as its key'),
  sampleShare: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('share of requests that are traced where their client does not decide'),
});

export const configSchema = z.strictObject({
  server: serverSchema.prefault({}),
  http: httpSchema.prefault({}),
  websocket: websocketSchema.prefault({}),
  requests: requestsSchema.prefault({}),
  background: backgroundSchema.prefault({}),
  model: modelSchema.prefault({}),
  engine: engineSchema.prefault({}),
  text: textSchema.prefault({}),
  embeddings: embeddingsSchema.prefault({}),
  routing: routingSchema.prefault({}),
  guards: guardSchema.prefault({}),
  data: dataSchema.prefault({}),
  cost: costSchema.prefault({}),
  cache: cacheSchema.prefault({}),
  semanticCache: semanticCacheSchema.prefault({}),
  alerts: alertsSchema.prefault({}),
  usage: usageSchema.prefault({}),
  redis: redisSchema.prefault({}),
  cluster: clusterSchema.prefault({}),
  evaluation: evaluationSchema.prefault({}),
  log: logSchema.prefault({}),
  telemetry: telemetrySchema.prefault({}),
});

export type Config = z.output<typeof configSchema>;
