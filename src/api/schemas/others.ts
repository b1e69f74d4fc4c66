import { z } from 'zod';
import { chatMessages } from './chat.js';
import { optional, tokenId } from './common.js';

const model = optional(z.string().min(1).max(256));

export const tokenizeRequest = z
  .object({
    model,
    content: optional(z.string()),
    prompt: optional(z.string().describe('another name of content')),
    add_special: optional(z.boolean().describe("the model's own BOS before the text; true if absent")),
    parse_special: optional(z.boolean().describe('read "<bos>" and its like as tokens; true if absent')),
    with_pieces: optional(z.boolean().describe("each token's text beside its id")),
  })
  .superRefine((request, context) => {
    if ((request.content ?? request.prompt) !== undefined) return;
    context.addIssue({ code: 'custom', path: ['content'], message: 'expected string' });
  });

export const tokenizeResponse = z.object({
  tokens: z.union([z.array(z.int()), z.array(z.object({ id: z.int(), piece: z.string() }))]),
  count: z.int(),
  max_model_len: z.int().describe('tokens a sequence may have'),
});

export const detokenizeRequest = z.object({
  model,
  tokens: z.array(tokenId).max(1_000_000),
  special: optional(z.boolean().describe('show control tokens; false if absent')),
});

export const detokenizeResponse = z.object({ content: z.string() });

export const prefixRequest = z
  .object({
    model,
    id: optional(
      z
        .string()
        .regex(/^[\w.:-]{1,128}$/, 'expected 1 to 128 letters, digits, or any of _ . : -')
        .describe('chosen by the server if absent'),
    ),
    prompt: optional(
      z.union([z.string().min(1), z.array(tokenId).min(1)], { error: 'expected a string or token ids' }),
    ),
    messages: optional(chatMessages),
  })
  .superRefine((request, context) => {
    if ((request.prompt === undefined) !== (request.messages === undefined)) return;
    context.addIssue({ code: 'custom', path: ['prompt'], message: 'expected either prompt or messages' });
  });

export const prefix = z.object({
  id: z.string(),
  object: z.literal('prefix'),
  created: z.int().describe('seconds since 1970'),
  model: z.string(),
  tokens: z.int(),
  pages: z.int(),
  hits: z.int(),
});

export const prefixList = z.object({ object: z.literal('list'), data: z.array(prefix) });

export const deleted = z.object({ id: z.string(), object: z.literal('prefix'), deleted: z.literal(true) });

export const modelCard = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('seconds since 1970'),
  owned_by: z.string(),
  task: z.enum(['generate', 'embed']),
  max_model_len: z.int().nullable().describe('tokens a sequence may have; null where it is not known'),
  meta: z
    .object({
      architecture: z.string(),
      parameters: z.number(),
      size_bytes: z.number(),
      vocab_size: z.int(),
      train_context: z.int(),
      chat_template: z.boolean(),
    })
    .nullable()
    .describe('null unless the model runs here or at workers'),
});

export const modelList = z.object({ object: z.literal('list'), data: z.array(modelCard) });

export const status = z.object({
  status: z.string().describe('of a server that shares with others: "degraded" while it has to do without'),
  reason: z.string().optional().describe('why it is degraded'),
});
