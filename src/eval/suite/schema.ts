import { z } from 'zod';

/** A suite as it is written, and what every field means: editors complete by the JSON Schema made from this. */

const name = z.string().min(1).max(200);
const variables = z.record(z.string(), z.unknown());

const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
});

const texts = z.union([z.string(), z.array(z.string()).min(1)], {
  error: 'expected a text or a list of texts',
});

const parameters = z.strictObject({
  max_tokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  stop: texts.optional(),
  seed: z.int().optional().describe('of the first repeat; each further one adds 1'),
  response_format: z.record(z.string(), z.unknown()).optional(),
  grammar: z.string().optional().describe('GBNF; Sluice only'),
});

const common = {
  name: name.optional().describe("what the score is called; the type's name if absent"),
  weight: z.number().gt(0).default(1).describe("share in the case's score"),
  atLeast: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('score that counts as 1, and less as 0; graded if absent'),
};

const scorer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('exact'), ...common }),
  z.strictObject({ type: z.literal('normalised'), ...common }),
  z.strictObject({
    type: z.literal('contains'),
    text: texts.optional().describe("what the answer must hold; the case's expected if absent"),
    all: z.boolean().default(false).describe('all of them, not any'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('regex'),
    pattern: z.string().min(1).describe('RE2 syntax, found anywhere in the answer'),
    not: z.boolean().default(false).describe('must not be found'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('number'),
    tolerance: z.number().min(0).default(0),
    relative: z.boolean().default(false).describe('the tolerance is a share of the expected number'),
    pick: z.enum(['first', 'last']).default('first').describe("which of the answer's numbers"),
    ...common,
  }),
  z.strictObject({
    type: z.literal('json'),
    schema: z.record(z.string(), z.unknown()).optional().describe('JSON Schema that the answer must follow'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('choice'),
    normalise: z.enum(['none', 'bytes']).default('none').describe('"bytes": log-probability per byte'),
    ...common,
  }),
  z.strictObject({ type: z.literal('f1'), ...common }),
  z.strictObject({ type: z.literal('rouge'), variant: z.enum(['1', '2', 'l']).default('l'), ...common }),
  z.strictObject({
    type: z.literal('embedding'),
    model: name.optional().describe('embedding model; the target if absent'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('perplexity'),
    of: z.enum(['answer', 'expected']).default('answer'),
    model: name.optional().describe('model that is asked; the target if absent'),
    limit: z
      .number()
      .gt(1)
      .default(50)
      .describe('perplexity that scores 0; 1 scores 1, between by logarithm'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('judge'),
    criteria: z.array(z.string().min(1)).min(1).max(20).optional().describe("the case's criteria if absent"),
    ...common,
  }),
  z.strictObject({
    type: z.literal('custom'),
    module: z.string().min(1).describe('JavaScript or TypeScript module, relative to the suite'),
    export: z.string().default('default'),
    timeoutMs: z.int().min(1).max(3_600_000).default(60_000).describe('time the function may take'),
    ...common,
  }),
]);

const shots = z.strictObject({
  examples: z.array(z.strictObject({ vars: variables.default({}), expected: z.string() })).min(1),
  separator: z.string().default('\n').describe('between examples of a completion'),
});

/** What a case may have, and a suite may give as default to all its cases. */
const settings = {
  mode: z
    .enum(['completion', 'chat'])
    .optional()
    .describe('completion if absent; chat where there are messages'),
  prompt: z.string().min(1).optional().describe('with {{variables}}'),
  messages: z.array(message).min(1).optional().describe('instead of a prompt'),
  system: z.string().optional().describe('first message of a chat'),
  shots: shots.optional().describe('examples before the question, by the same prompt'),
  scorers: z.array(scorer).min(1).optional(),
  criteria: z.array(z.string().min(1)).max(20).optional().describe('for judges'),
  threshold: z.number().min(0).max(1).optional().describe('score that passes; 0.7 if absent'),
  repeats: z.int().min(1).max(1000).optional(),
  tags: z.array(name).max(50).optional(),
  params: parameters.optional(),
};

export const caseFile = z.strictObject({
  id: name.optional().describe('unique; by place if absent'),
  vars: variables.optional(),
  expected: texts.optional().describe('right answers; any of them is right'),
  choices: z.array(z.string().min(1)).min(2).optional().describe('of which one is expected'),
  ...settings,
});

export const suiteFile = z.strictObject({
  $schema: z.string().optional(),
  name,
  description: z.string().optional(),
  defaults: z.strictObject(settings).prefault({}).describe('for all cases; tags are added, params merged'),
  cases: z.array(caseFile).min(1).max(100_000),
});

export type ScorerSpec = z.output<typeof scorer>;
export type SuiteFile = z.output<typeof suiteFile>;
export type CaseFile = z.output<typeof caseFile>;
export type Message = z.output<typeof message>;
export type Parameters = z.output<typeof parameters>;
export const scorerSpec = scorer;

export function suiteJsonSchema(): object {
  return z.toJSONSchema(suiteFile, { io: 'input' });
}
