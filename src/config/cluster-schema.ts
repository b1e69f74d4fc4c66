import { z } from 'zod';
import { MAX_DOLLARS } from '../support/money.js';
import { bytes } from './bytes.js';

export const redisSchema = z.strictObject({
  url: z
    .union([z.literal(''), z.url({ protocol: /^rediss?$/ })], {
      error: 'expected a redis:// or rediss:// address',
    })
    .default('')
    .describe('Redis that gateways and workers share; none: everything is in this process'),
  username: z.string().default('').describe('ACL user'),
  passwordFile: z.string().default('').describe("file with the user's password, read for each connection"),
  caFile: z
    .string()
    .default('')
    .describe("PEM of the authorities to trust over TLS; by default the system's"),
  certificateFile: z.string().default('').describe('PEM of the certificate to show to Redis, over TLS'),
  keyFile: z.string().default('').describe("PEM of that certificate's key"),
  keyPrefix: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, or any of _ . -')
    .default('sluice')
    .describe('begins every key and channel: one for each deployment that shares a Redis'),
  isCluster: z.boolean().default(false).describe('the address is a node of a Redis Cluster'),
  silenceMs: z
    .int()
    .min(200)
    .max(600_000)
    .default(5_000)
    .describe('time without an answer after which Redis counts as away and the connection is made anew'),
});

export const clusterSchema = z.strictObject({
  leaseMs: z
    .int()
    .min(200)
    .max(600_000)
    .default(3_000)
    .describe('silence after which a gateway or worker counts as dead'),
  maxAttempts: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe('workers that may lose a request before it becomes a dead letter'),
  maxInFlight: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4096)
    .describe('requests to one model that a gateway has in the cluster at once; more wait in the gateway'),
  maxWaiting: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4096)
    .describe('requests that may wait for the workers of one model, over all gateways'),
  conversationMs: z
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(600_000)
    .describe('time after its last request for which a conversation is remembered to be at a worker'),
  maxInlineBytes: bytes()
    .default(32 * 2 ** 10)
    .describe('larger requests lie beside the queue, in a key that expires'),
  reservationLeaseMs: z
    .int()
    .min(200)
    .max(3_600_000)
    .default(15_000)
    .describe('silence of a gateway after which what its requests hold of limits and budgets is freed'),
  ledgerHours: z
    .int()
    .min(1)
    .max(8760)
    .default(24)
    .describe("hours that Redis keeps usage for a gateway that isn't there"),
  keyStalenessMs: z
    .int()
    .min(200)
    .max(86_400_000)
    .default(10_000)
    .describe('time without news of Redis after which keys are no longer believed'),
  allowedRequests: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(0)
    .describe('requests with keys that each gateway may let in by itself while Redis is away; 0: none'),
  allowedTokens: z
    .int()
    .min(0)
    .max(1_000_000_000_000)
    .default(0)
    .describe('tokens that those may take in all'),
  allowedDollars: z
    .number()
    .min(0)
    .max(MAX_DOLLARS)
    .default(0)
    .describe('dollars that those may cost in all'),
  deadLetterHours: z.int().min(1).max(8760).default(24).describe('hours that dead letters are kept'),
});
