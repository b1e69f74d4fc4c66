import type { z } from 'zod';
import type { FinishReason, GenerationEvent, MessageDelta, Usage } from '../gateway/types.js';
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
}

export interface Chunk {
  choices: ChoiceChunk[];
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
      cost_dollars: rounded(route.costDollars),
      quality: route.quality,
      steps: route.steps.map((step) => ({
        model: step.model,
        outcome: step.outcome,
        cost_dollars: rounded(step.costDollars),
        quality: step.quality,
      })),
    },
  };
}

/** To a millionth of a millionth of a dollar: what is beyond is noise of binary fractions. */
function rounded(dollars: number): number {
  return Number(dollars.toFixed(12));
}
