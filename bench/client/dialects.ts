import type { MessageFacts } from './trace.js';
import type { GenerationPlan } from './types.js';

/** How a server is asked for a stream over HTTP, and what its events mean. */
export interface Dialect {
  path: string;
  body(plan: GenerationPlan, model: string): string;
  read(payload: string): MessageFacts;
}

interface CompletionChunk {
  choices?: { text?: string; finish_reason?: string | null }[];
  usage?: {
    completion_tokens?: number;
    prompt_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number };
  } | null;
  error?: { code?: unknown; type?: unknown };
}

interface NativeChunk {
  content?: string;
  stop?: boolean;
  tokens_predicted?: number;
  tokens_evaluated?: number;
  error?: { code?: unknown; type?: unknown };
}

/** OpenAI's /v1/completions. `[DONE]` ends a stream. */
const completions: Dialect = {
  path: '/v1/completions',
  body: (plan, model) =>
    JSON.stringify({
      model,
      prompt: plan.prompt,
      max_tokens: plan.maxTokens,
      temperature: 0,
      ignore_eos: true,
      stream: true,
      stream_options: { include_usage: true },
    }),
  read(payload) {
    if (payload === '[DONE]') return { hasText: false, ended: true };
    const chunk = JSON.parse(payload) as CompletionChunk;
    const usage = chunk.usage ?? undefined;
    return {
      hasText: (chunk.choices?.[0]?.text ?? '') !== '',
      ended: false,
      outputTokens: usage?.completion_tokens,
      promptTokens: usage?.prompt_tokens,
      cachedTokens: usage?.prompt_tokens_details?.cached_tokens,
      error: errorKind(chunk.error),
    };
  },
};

/** llama-server's own /completion. The event with `stop` ends a stream. */
const native: Dialect = {
  path: '/completion',
  body: (plan) =>
    JSON.stringify({
      prompt: plan.prompt,
      n_predict: plan.maxTokens,
      temperature: 0,
      ignore_eos: true,
      stream: true,
      cache_prompt: true,
    }),
  read(payload) {
    const chunk = JSON.parse(payload) as NativeChunk;
    const ended = chunk.stop === true;
    return {
      hasText: (chunk.content ?? '') !== '',
      ended,
      outputTokens: ended ? chunk.tokens_predicted : undefined,
      promptTokens: ended ? chunk.tokens_evaluated : undefined,
      error: errorKind(chunk.error),
    };
  },
};

export const dialects = { completions, native } as const;

export function errorKind(error: { code?: unknown; type?: unknown } | undefined): string | undefined {
  if (error === undefined) return undefined;
  return `stream_${String(error.code ?? error.type ?? 'error')}`;
}
