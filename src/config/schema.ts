import { z } from 'zod';

/**
 * Every setting, with its unit and default. A setting's path (`http.maxBodyBytes`) names it in the file, as
 * SLUICE_HTTP_MAX_BODY_BYTES in the environment, and in messages.
 */

const BYTE_UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A number of bytes, or text such as "512MiB" or "4G" (powers of 1024). */
const bytes = () =>
  z.preprocess((value) => {
    const match =
      typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(value) : null;
    return match ? Math.round(Number(match[1]) * BYTE_UNITS[match[2]!.toUpperCase()]!) : value;
  }, z.int().min(0));

const kvType = z.enum(['f16', 'bf16', 'f32', 'q8_0']);

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
  maxBodyBytes: bytes()
    .default(4 * 2 ** 20)
    .describe('largest request body'),
  maxReceivingBytes: bytes()
    .default(256 * 2 ** 20)
    .describe('bytes that all bodies being received may hold together'),
  bodyTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(20_000) // uWS closes a silent connection after 28 to 32 s, without an answer
    .describe('time a body may take to arrive'),
  maxHeaderBytes: bytes()
    .default(16 * 2 ** 10)
    .describe('largest request head (start line and headers)'),
  maxStreamBufferBytes: bytes()
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
  maxMessageBytes: bytes()
    .default(4 * 2 ** 20)
    .describe('largest message from a client'),
  maxBufferBytes: bytes()
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

const modelSchema = z.strictObject({
  ref: z
    .string()
    .min(1)
    .default('gemma-3-270m')
    .describe('catalog name, path, hf:, https: or pypi: reference'),
  aliases: z
    .array(z.string().min(1))
    .max(100)
    .default([])
    .describe('further names clients may use for the model'),
});

const engineSchema = z.strictObject({
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
    .default(32)
    .refine((size) => (size & (size - 1)) === 0, 'must be a power of two')
    .describe('KV cells a page, a power of two'),
  kvBytes: bytes().default(0).describe('memory of the KV pool; 0: by rule'),
  memoryUtilization: z.number().gt(0).max(1).default(0.9).describe('share of free GPU memory to use'),
  maxSequences: z.int().min(1).max(256).default(64).describe('sequences that run at once'),
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

/** Dollars per million tokens. */
const price = z.strictObject({
  input: z.number().min(0).max(100_000),
  output: z.number().min(0).max(100_000),
  cachedInput: z.number().min(0).max(100_000).optional(),
});

const costSchema = z.strictObject({
  prices: z
    .record(z.string(), price)
    .default({})
    .describe('dollars per million tokens by model: { name: { input, output, cachedInput } }'),
  localPrice: price
    .default({ input: 0.05, output: 0.2, cachedInput: 0.005 })
    .describe('notional price of models that run here and are not in cost.prices'),
  unknownPrice: price
    .default({ input: 10, output: 30 })
    .describe('price of other models that are not in cost.prices; the ledger marks it as "default"'),
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

export const configSchema = z.strictObject({
  server: serverSchema.prefault({}),
  http: httpSchema.prefault({}),
  websocket: websocketSchema.prefault({}),
  requests: requestsSchema.prefault({}),
  model: modelSchema.prefault({}),
  engine: engineSchema.prefault({}),
  text: textSchema.prefault({}),
  data: dataSchema.prefault({}),
  cost: costSchema.prefault({}),
  alerts: alertsSchema.prefault({}),
  usage: usageSchema.prefault({}),
  log: logSchema.prefault({}),
});

export type Config = z.output<typeof configSchema>;
