import { z } from 'zod';

/** The parts of an OpenAI-compatible endpoint's answers that we read. What else they hold is ignored. */

const tokenLogprob = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int().min(0).max(255)).nullish(),
});

const chatLogprobs = z.object({
  content: z.array(tokenLogprob.extend({ top_logprobs: z.array(tokenLogprob).nullish() })).nullish(),
});

const completionLogprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
});

const toolCall = z.object({
  index: z.int().min(0).max(127).nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});

const message = z.object({
  content: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
});

const choice = z.object({
  index: z.int().min(0).default(0),
  text: z.string().nullish(),
  message: message.nullish(),
  delta: message.nullish(),
  logprobs: z.union([chatLogprobs.required(), completionLogprobs]).nullish().catch(null),
  finish_reason: z.string().nullish(),
});

const usage = z.object({
  prompt_tokens: z.int().min(0),
  completion_tokens: z.int().min(0).default(0),
  prompt_tokens_details: z.object({ cached_tokens: z.int().min(0).nullish() }).nullish(),
});

/** A whole answer, or one event of a stream. */
export const answerPart = z.object({
  choices: z.array(choice).default([]),
  usage: usage.nullish().catch(null),
  error: z.unknown().optional(),
});

export const errorAnswer = z.object({ error: z.object({ message: z.string(), code: z.unknown() }) });

export type AnswerPart = z.output<typeof answerPart>;
export type WireChoice = AnswerPart['choices'][number];
