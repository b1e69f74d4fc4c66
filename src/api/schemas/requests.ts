import { z } from 'zod';
import { chatResponse } from './chat.js';
import { errorBody } from './common.js';
import { completionResponse } from './completions.js';

export const backgroundRequest = z.object({
  id: z.string(),
  object: z.literal('request'),
  created: z.int().describe('seconds since 1970'),
  state: z.enum(['queued', 'running', 'done', 'failed']),
  position: z.int().optional().describe("in its model's queue, 1 being next; where it is queued"),
  estimate_ms: z.number().optional().describe('until it is served; where it is queued'),
  completed: z.int().optional().describe('seconds since 1970; where it is done or failed'),
  result: z.union([completionResponse, chatResponse]).optional().describe('where it is done'),
  error: errorBody.shape.error.optional().describe('where it failed'),
});

export const removedRequest = z.object({
  id: z.string(),
  object: z.literal('request'),
  deleted: z.literal(true),
});
