import { z } from 'zod';
import {
  generationFields,
  guardReport,
  optional,
  refuseStreamLater,
  responseFormat,
  routeReport,
  tokenId,
  trimmed,
  unsupported,
  usage,
} from './common.js';

const MAX_PROMPTS = 128;

export const completionRequest = z
  .object({
    prompt: z.union(
      [
        z.string(),
        z.array(z.string()).min(1).max(MAX_PROMPTS),
        z.array(tokenId).min(1),
        z.array(z.array(tokenId).min(1)).min(1).max(MAX_PROMPTS),
      ],
      { error: `expected a string, an array of token ids, or an array of up to ${MAX_PROMPTS} of either` },
    ),
    max_tokens: optional(z.int().min(0)),
    echo: optional(z.boolean().describe('repeat the prompt before the answer')),
    logprobs: optional(z.int().min(0).max(20).describe('alternatives shown per token')),
    best_of: optional(z.int().min(1)),
    suffix: optional(z.string()),
    response_format: optional(responseFormat),
    ...generationFields,
  })
  .superRefine((request, context) => {
    if (request.best_of !== undefined && request.best_of !== (request.n ?? 1)) {
      unsupported(context, ['best_of'], 'must equal n');
    }
    refuseStreamLater(request, context);
    if (request.prefix_id === undefined) refuseEmptyPrompt(request.prompt, context);
    if (request.optimize_prompt) {
      const fault = trimFault(request.prompt, request.echo, request.prefix_id);
      if (fault) context.addIssue({ code: 'custom', path: ['optimize_prompt'], message: fault });
    }
    if (request.suffix) unsupported(context, ['suffix'], "isn't supported");
    if (request.grammar !== undefined && request.response_format && request.response_format.type !== 'text') {
      context.addIssue({
        code: 'custom',
        path: ['grammar'],
        message: "can't be combined with response_format",
      });
    }
  });

function trimFault(prompt: unknown, echo?: boolean, prefixId?: string): string | null {
  if (echo) return "can't be combined with echo";
  if (prefixId !== undefined) return "can't be combined with prefix_id";
  const texts = Array.isArray(prompt) ? prompt : [prompt];
  return texts.every((text) => typeof text === 'string') ? null : 'needs prompts of text';
}

function refuseEmptyPrompt(prompt: string | readonly unknown[], context: z.RefinementCtx): void {
  const message = 'must not be empty';
  if (prompt === '') context.addIssue({ code: 'custom', path: ['prompt'], message });
  const index = Array.isArray(prompt) ? prompt.indexOf('') : -1;
  if (index >= 0) context.addIssue({ code: 'custom', path: ['prompt', index], message });
}

export type CompletionRequest = z.output<typeof completionRequest>;

const completionLogprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
  text_offset: z.array(z.int()),
});

export type CompletionLogprobs = z.output<typeof completionLogprobs>;

const completionChoice = z.object({
  index: z.int(),
  text: z.string(),
  logprobs: completionLogprobs.nullable(),
  finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'cancelled']).nullable(),
  guard: guardReport,
});

/** The whole answer; a stream sends the same with what is new in each. */
export const completionResponse = z.object({
  id: z.string(),
  object: z.literal('text_completion'),
  created: z.int().describe('seconds since 1970'),
  model: z.string(),
  choices: z.array(completionChoice),
  usage: usage.nullish(),
  sluice: routeReport.optional(),
  trimmed,
});
