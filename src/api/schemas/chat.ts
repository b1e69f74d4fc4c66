import { z } from 'zod';
import {
  generationFields,
  guardReport,
  jsonObject,
  optional,
  refuseStreamLater,
  responseFormat,
  routeReport,
  trimmed,
  unsupported,
  usage,
} from './common.js';

/** Parts other than text are let through here, to be refused by name below. */
const contentPart = z.object({ type: z.string(), text: optional(z.string()) });

const content = z.union([z.string(), z.array(contentPart).max(1024)], {
  error: 'expected a string or an array of text parts',
});

const toolCall = z.object({
  id: z.string().max(256),
  type: z.literal('function'),
  function: z.object({ name: z.string().min(1).max(256), arguments: z.string() }),
});

const name = optional(z.string().max(256));

const chatMessage = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content, name }),
  z.object({
    role: z.literal('assistant'),
    content: content.nullish(),
    name,
    reasoning_content: optional(z.string()),
    tool_calls: optional(z.array(toolCall).max(128)),
  }),
  z.object({ role: z.literal('tool'), content, tool_call_id: z.string().max(256) }),
]);

export type WireMessage = z.output<typeof chatMessage>;

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().min(1).max(256),
    description: optional(z.string()),
    parameters: optional(jsonObject),
    strict: optional(z.boolean()),
  }),
});

const toolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.object({ type: z.literal('function'), function: z.object({ name: z.string().min(1) }) }),
  ],
  { error: 'expected "none", "auto", "required" or {"type":"function","function":{"name":…}}' },
);

const messages = z
  .array(chatMessage)
  .min(1)
  .max(4096)
  .superRefine((list, context) => {
    for (const [index, message] of list.entries()) {
      if (!Array.isArray(message.content)) continue;
      for (const [part, { type, text }] of message.content.entries()) {
        const path = [index, 'content', part];
        if (type !== 'text')
          unsupported(context, [...path, 'type'], `"${type.slice(0, 40)}" parts aren't supported`);
        else if (text === undefined)
          context.addIssue({ code: 'custom', path: [...path, 'text'], message: 'is missing' });
      }
    }
  });

export const chatRequest = z
  .object({
    messages,
    max_tokens: optional(z.int().min(1)),
    max_completion_tokens: optional(z.int().min(1).describe('the newer name of max_tokens')),
    logprobs: optional(z.boolean()),
    top_logprobs: optional(z.int().min(0).max(20)),
    response_format: optional(responseFormat),
    tools: optional(z.array(tool).max(128)),
    tool_choice: optional(toolChoice),
    parallel_tool_calls: optional(z.boolean()),
    chat_template_kwargs: optional(jsonObject.describe("variables for the model's template")),
    ...generationFields,
  })
  .superRefine((request, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    refuseStreamLater(request, context);
    if (request.top_logprobs !== undefined && !request.logprobs)
      fault('top_logprobs', 'needs logprobs: true');
    const choice = request.tool_choice;
    if (choice !== undefined && choice !== 'none' && choice !== 'auto' && !request.tools?.length) {
      fault('tool_choice', 'needs tools');
    }
    if (
      typeof choice === 'object' &&
      !request.tools?.some((each) => each.function.name === choice.function.name)
    ) {
      fault('tool_choice', `there is no tool ${JSON.stringify(choice.function.name)}`);
    }
    if (request.optimize_prompt && request.prefix_id !== undefined) {
      fault('optimize_prompt', "can't be combined with prefix_id");
    }
    if (request.grammar === undefined) return;
    if (request.tools?.length) fault('grammar', "can't be combined with tools");
    if (request.response_format && request.response_format.type !== 'text') {
      fault('grammar', "can't be combined with response_format");
    }
  });

export type ChatRequest = z.output<typeof chatRequest>;

export const chatMessages = messages;

const tokenLogprob = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()) });
const chatLogprobs = z.object({
  content: z.array(tokenLogprob.extend({ top_logprobs: z.array(tokenLogprob) })),
});

export type ChatLogprobs = z.output<typeof chatLogprobs>;

const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'cancelled']);
const envelope = {
  id: z.string(),
  created: z.int().describe('seconds since 1970'),
  model: z.string(),
  usage: usage.nullish(),
  sluice: routeReport.optional(),
  trimmed,
};

export const chatResponse = z.object({
  ...envelope,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        reasoning_content: z.string().optional(),
        tool_calls: z.array(toolCall).optional(),
      }),
      logprobs: chatLogprobs.nullable(),
      finish_reason: finishReason,
      guard: guardReport,
    }),
  ),
});

/** One event of a stream. */
export const chatChunk = z.object({
  ...envelope,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.object({
      index: z.int(),
      delta: z.object({
        role: z.literal('assistant').optional(),
        content: z.string().optional(),
        reasoning_content: z.string().optional(),
        tool_calls: z.array(toolCall.partial().extend({ index: z.int() })).optional(),
      }),
      logprobs: chatLogprobs.nullable(),
      finish_reason: finishReason.nullable(),
      guard: guardReport,
    }),
  ),
});
