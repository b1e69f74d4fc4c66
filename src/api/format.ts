import type { z } from 'zod';
import type { GuardReport } from '../generation/report.js';
import type { FinishReason, GenerationEvent, MessageDelta, Usage } from '../generation/types.js';
import { dollars } from '../support/money.js';
import { cacheStatus } from './cached.js';
import type { ChatLogprobs } from './schemas/chat.js';
import type { routeReport } from './schemas/common.js';
import type { CompletionLogprobs } from './schemas/completions.js';

/** What a stream sends of one choice: `text` in completions, `delta` in chat. */
export interface ChoiceChunk {
  index: number;
  text?: string;
  delta?: MessageDelta & { role?: 'assistant' };
  logprobs: CompletionLogprobs | ChatLogprobs | null;
  finish_reason: FinishReason | null;
  guard?: GuardReport;
}

export interface Chunk {
  choices: ChoiceChunk[];
  usage?: null; // where the stream ends with usage
}

/** How a kind of answer looks on the wire. One object a request; it follows the events in their order. */
export interface AnswerFormat {
  /** What a stream sends for an event: nothing, or one chunk a choice. */
  chunks(event: GenerationEvent): Chunk[];
  /** The last object of a stream that asked for usage. */
  usageChunk(usage: Usage): object;
  /** Keeps an event for whole(). */
  collect(event: GenerationEvent): void;
  whole(usage: Usage): object;
}

export function wireUsage(usage: Usage) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    ...(usage.cache ? { cache: cacheStatus(usage.cache) } : {}),
    ...(usage.nanodollars === null ? {} : { cost: dollars(usage.nanodollars) }),
  };
}

/** How the answer came about, where more than one model could have given it. */
export function routeField({ route }: Usage): { sluice?: z.output<typeof routeReport> } {
  if (route === undefined) return {};
  return {
    sluice: {
      model: route.model,
      route: route.name,
      variant: route.variant,
      cost_dollars: dollars(route.nanodollars),
      quality: route.quality,
      steps: route.steps.map((step) => ({
        model: step.model,
        outcome: step.outcome,
        cost_dollars: dollars(step.nanodollars),
        quality: step.quality,
      })),
    },
  };
}
