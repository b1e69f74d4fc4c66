import { z } from 'zod';
import { trimStrategies } from '../../text/trim/types.js';

/** OpenAI's clients send null for what they leave out. Optional outside too, so that absent fields cost no transform. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();
}

const MAX_DEPTH = 64;

/** Any JSON object, nested at most 64 deep: what handles it later may recurse. */
export const jsonObject = z
  .record(z.string(), z.unknown())
  .refine((value) => !deeperThan(value, MAX_DEPTH), `must not be nested more than ${MAX_DEPTH} levels deep`);

function deeperThan(root: unknown, limit: number): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
  }
  return false;
}

const LAST_INT32 = 2 ** 31 - 1;

export const tokenId = z.int().min(0).max(LAST_INT32);

/** Adds an issue that ends as unsupported_parameter instead of invalid_value. */
export function unsupported(context: z.RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message, params: { code: 'unsupported_parameter' } });
}

const identifier = z.string().min(1).max(256);

const optimizePrompt = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        strategy: optional(z.enum(trimStrategies).describe('drop_oldest if absent')),
        max_tokens: optional(z.int().min(1).describe('of the prompt; what the context holds if absent')),
      }),
    ],
    { error: `expected a boolean, or {"strategy": one of ${trimStrategies.join(', ')}, "max_tokens"}` },
  )
  .describe('cut a prompt that is too long instead of refusing it; the answer says what was cut');

/** Fields that completions and chat share: OpenAI's, then llama.cpp's, then Sluice's own. */
export const generationFields = {
  model: optional(identifier.describe('a served model; the default one if absent')),
  temperature: optional(z.number().min(0).max(2).describe('0 picks the best token')),
  top_p: optional(z.number().gt(0).max(1)),
  n: optional(z.int().min(1).max(128).describe('choices per prompt')),
  stop: optional(
    z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(16)], {
      error: 'expected a string or up to 16 strings of 1 to 256 characters',
    }),
  ),
  seed: optional(z.int().describe('equal seeds give equal choices; choice i uses seed + i')),
  logit_bias: optional(
    z
      .record(z.string().regex(/^\d{1,9}$/, 'keys must be token ids'), z.number().min(-100).max(100))
      .refine((bias) => Object.keys(bias).length <= 1024, 'must not have more than 1024 entries'),
  ),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  optimize_prompt: optional(optimizePrompt),
  stream: optional(z.boolean()),
  background: optional(
    z
      .boolean()
      .describe('answer 202 at once; the result is at /v1/requests/ID, as with Prefer: respond-async'),
  ),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  user: optional(z.string().max(1024)),

  top_k: optional(z.int().min(0).max(LAST_INT32).describe('0 turns it off')),
  min_p: optional(z.number().min(0).max(1)),
  repeat_penalty: optional(z.number().gt(0).max(10).describe('1 turns it off')),
  ignore_eos: optional(z.boolean()),
  cache: optional(
    z
      .boolean()
      .describe('true: give and keep cached answers also where they are left to chance; false: neither'),
  ),
  cache_similar: optional(
    z.boolean().describe('true: an answer to a question that means the same will do; false: it will not'),
  ),
  cache_prompt: optional(z.boolean().describe('false: neither reads nor fills the prefix cache')),
  grammar: optional(z.string().min(1).describe('GBNF that the answer must follow')),

  fallbacks: optional(
    z.array(identifier).max(16).describe('models to try, in this order, where the one named fails'),
  ),
  max_cost: optional(z.number().gt(0).describe('dollars; models that would cost more are left out')),
  quality_threshold: optional(
    z
      .number()
      .min(0)
      .max(1)
      .describe("of a cascade: the estimate that is good enough; the route's if absent"),
  ),

  guards: optional(
    z
      .string()
      .min(1)
      .max(64)
      .describe("a guard profile that holds beside the key's own; it can't replace that"),
  ),

  session_id: optional(identifier.describe("keeps this conversation's KV cache for its next request")),
  prefix_id: optional(identifier.describe('a pinned prefix that the prompt continues')),
  priority: optional(z.int().min(0).max(9).describe('0 is served first; 1 if absent')),
  timeout_ms: optional(z.int().min(1).describe('fails with deadline_exceeded after so many milliseconds')),
  deadline: optional(z.int().min(0).describe('the same as a point in time, in milliseconds since 1970')),
};

export type GenerationFields = z.output<z.ZodObject<typeof generationFields>>;

export function refuseStreamLater(
  { background, stream }: Pick<GenerationFields, 'background' | 'stream'>,
  context: z.RefinementCtx,
): void {
  if (!background || !stream) return;
  context.addIssue({ code: 'custom', path: ['background'], message: "can't be combined with a stream" });
}

export const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object'), schema: optional(jsonObject) }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: optional(z.string().max(256)),
      strict: optional(z.boolean()),
      schema: jsonObject,
    }),
  }),
]);

export type ResponseFormat = z.output<typeof responseFormat>;

export const usage = z.object({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_tokens_details: z.object({ cached_tokens: z.int() }),
  cost: z.number().optional().describe('dollars; where there are keys'),
  cache: z
    .enum(['hit-l1', 'hit-l2', 'hit-l3', 'hit-flight', 'miss'])
    .optional()
    .describe('where the answer came from, if it may be cached'),
});

export const routeReport = z
  .object({
    model: z.string().describe('that answered'),
    route: z.string().describe('the name that was asked for'),
    variant: z.string().nullable().describe('of a split or canary'),
    cost_dollars: z.number().describe('of all steps'),
    quality: z.number().nullable().describe("the estimate, of cascades; null where it wasn't made"),
    steps: z.array(
      z.object({
        model: z.string(),
        outcome: z.string().describe('answered, below_threshold, too_dear, or the code of an error'),
        cost_dollars: z.number(),
        quality: z.number().nullable(),
      }),
    ),
  })
  .describe('how the answer came about, where more than one model could have given it');
export const guardReport = z
  .object({
    blocked: z
      .object({
        stage: z.enum(['input', 'output']),
        guard: z.string(),
        category: z.string(),
        score: z.number(),
      })
      .nullable()
      .describe('what has ended it'),
    warnings: z.array(z.string()).describe('"guard/category"'),
  })
  .optional()
  .describe('what guards say of this choice');

export const trimmed = z
  .array(
    z.object({
      prompt: z.int(),
      strategy: z.enum(trimStrategies),
      max_tokens: z.int(),
      tokens_before: z.int(),
      tokens_after: z.int(),
      messages_removed: z.array(z.int()),
      sentences_removed: z.array(z.object({ message: z.int(), sentences: z.int() })),
    }),
  )
  .optional()
  .describe('what optimize_prompt has cut; in a stream it comes with the first event');

export const errorBody = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    code: z.string(),
    param: z.string().nullable().describe('the field at fault, in dotted form'),
    guard: z
      .object({
        stage: z.enum(['input', 'output']),
        guard: z.string(),
        category: z.string().describe('of what was found; why, where the guard has failed'),
        score: z.number().optional(),
        request_id: z.string(),
      })
      .optional()
      .describe('of content_policy_violation and guard_failed'),
  }),
});
