import { z } from 'zod';
import { bytes } from './bytes.js';

export const guardStages = ['input', 'output'] as const;
export type GuardStage = (typeof guardStages)[number];

/** What happens to a finding, from the most lenient to the strictest. */
export const guardModes = ['warn', 'reversible', 'mask', 'redact', 'block'] as const;
export type GuardMode = (typeof guardModes)[number];

/** Whose text it is. What a client sends as `system` is the operator's. */
export const textOrigins = ['system', 'user', 'assistant', 'tool', 'tool_call'] as const;
export type TextOrigin = (typeof textOrigins)[number];

const name = z.string().regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, or any of _ . -');

/** One guard in a profile. What is left out is the guard's own default. */
const guardUse = z.strictObject({
  guard: name,
  mode: z.enum(guardModes).optional(),
  modes: z.record(z.string(), z.enum(guardModes)).default({}), // of single categories, instead of `mode`
  categories: z.array(z.string().min(1)).optional(), // the others are not looked for
  threshold: z.number().min(0).max(1).optional(), // findings with a lower score don't count
  origins: z.array(z.enum(textOrigins)).min(1).optional(), // of input: whose texts it looks at
  timeoutMs: z.int().min(1).max(120_000).optional(),
  onFailure: z.enum(['block', 'pass']).default('block'),
  holdsSentences: z.boolean().default(false), // in streams: nothing of a sentence is out before it was read
  options: z.record(z.string(), z.unknown()).default({}), // the guard's own
});

const guardProfile = z.strictObject({
  input: z.array(guardUse).max(64).default([]),
  output: z
    .array(
      guardUse.refine(
        ({ mode, modes }) => mode !== 'reversible' && !Object.values(modes).includes('reversible'),
        {
          path: ['mode'],
          message: '"reversible" is for input: what it hides from the model comes back by itself',
        },
      ),
    )
    .max(64)
    .default([]),
  onBlock: z.enum(['error', 'refusal']).default('error'), // refusal: a normal answer that ends with content_filter
  refusal: z.string().max(4096).default("I can't help with that."),
});

const customGuard = z
  .strictObject({
    name,
    module: z.string().min(1).optional(), // path of a JavaScript module
    webhook: z
      .strictObject({
        url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
        secret: z.string().min(16),
      })
      .optional(),
    moderation: z
      .strictObject({
        url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL such as https://host/v1' }),
        model: z.string().min(1).optional(),
        apiKeyEnv: z.string().regex(/^\w+$/).optional(), // the variable that holds the key
      })
      .optional(),
  })
  .refine(
    ({ module, webhook, moderation }) =>
      [module, webhook, moderation].filter((kind) => kind !== undefined).length === 1,
    { message: 'needs exactly one of module, webhook and moderation' },
  );

export type GuardUse = z.output<typeof guardUse>;
export type GuardProfile = z.output<typeof guardProfile>;
export type CustomGuard = z.output<typeof customGuard>;
export type GuardConfig = z.output<typeof guardSchema>;

export const guardSchema = z.strictObject({
  profile: z
    .string()
    .min(1)
    .default('off')
    .describe('profile of callers whose key names none: off, default, or one of guards.profiles'),
  profiles: z.record(name, guardProfile).default({}).describe('lists of guards: { name: { input, output } }'),
  custom: z
    .array(customGuard)
    .max(64)
    .default([])
    .describe('guards of your own: a JavaScript module, a signed webhook or a moderation endpoint'),
  threads: z
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe(
      'threads that look at texts, and as many processes, at least two, where there are modules of your own; 0: one for two cores, up to four',
    ),
  maxQueue: z.int().min(1).max(100_000).default(4096).describe('checks that may wait for a worker'),
  workerHeapBytes: bytes(1)
    .default(256 * 2 ** 20)
    .describe(
      'heap of a worker; one that needs more is replaced, and its check has failed. A process may have as much again outside of the heap',
    ),
  timeoutMs: z.int().min(1).max(120_000).default(1_000).describe('time a check may take'),
  maxTextCharacters: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(1_000_000)
    .describe('characters of one request that guards look at; longer ones are refused'),
  auditFile: z.string().default('').describe('JSON lines of what guards decided; none: in the log'),
  auditTexts: z.boolean().default(false).describe('found texts in the audit too: they may be private'),
  maxBlocks: z
    .int()
    .min(0)
    .max(100_000)
    .default(20)
    .describe('blocked requests of one user within guards.blockWindowMs, then they wait; 0: no limit'),
  blockWindowMs: z
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(600_000)
    .describe('time for which a blocked request counts; also the longest wait'),
  vaultIdleMs: z
    .int()
    .min(1_000)
    .max(604_800_000)
    .default(3_600_000)
    .describe('time a session without requests keeps the values that reversible guards hide'),
  maxVaults: z.int().min(1).max(1_000_000).default(10_000).describe('sessions that keep such values'),
});
