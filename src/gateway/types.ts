/** What passes between the API and the gateway. Nothing here comes unchecked from the wire: api/validate.ts makes it. */
import type { Caller } from '../auth/caller.js';
import type { SamplingParams, TokenLogprob } from '../engine/types.js';
import type { TrimReport, TrimStrategy } from '../text/trim/types.js';

export interface ValidatedRequest {
  id: string; // the answer's id, unique
  caller: Caller;
  tenant: string; // the caller's
  model: string | null; // as the client named it; null: the default model
  input: TextInput | ChatInput;
  choices: number; // per prompt
  maxTokens: number | null; // per choice; null: the default, clamped to the context
  sampling: Omit<SamplingParams, 'grammar' | 'grammarLazy' | 'grammarTriggers'>;
  constraint: Constraint | null;
  /** How to cut a prompt that is too long; null: it is refused. Without maxTokens: to what the context holds beside the answer. */
  trim: { strategy: TrimStrategy; maxTokens: number | null } | null;
  stop: string[];
  priority: number; // 0 is served first
  deadlineMs: number; // epoch
  sessionId: string | null;
  prefixId: string | null;
  cachePrompt: boolean;
  stream: boolean; // false: only the whole answer matters, so it may be put together late
}

export interface TextInput {
  kind: 'text';
  prompts: (string | Int32Array)[]; // ≥ 1
  echo: boolean; // the answer repeats the prompt
  promptLogprobs: number; // -1: none; else alternatives per prompt token
}

export interface ChatInput {
  kind: 'chat';
  messages: ChatMessage[];
  /** Further fields of the chat template's input, in the wire's names: tools, tool_choice, response_format, … */
  options: Record<string, unknown>;
}

export interface ChatMessage {
  role: string;
  content: string | null;
  [field: string]: unknown; // name, tool_calls, tool_call_id, reasoning_content
}

export type Constraint = { kind: 'grammar'; grammar: string } | { kind: 'schema'; schemaJson: string };

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'cancelled';

/** What is new in an assistant's message. */
export interface MessageDelta {
  content?: string;
  reasoning_content?: string;
  tool_calls?: ToolCallDelta[];
}

export interface ToolCallDelta {
  index: number;
  id?: string; // with the call's first delta
  type?: 'function';
  function: { name?: string; arguments?: string };
}

/**
 * Events of one request, in order. Choice c of prompt p has the number p · choices + c.
 * One `start`; each prompt: one `prompt`; each choice: any number of `delta`, then one `done`. A failure ends all by
 * rejection instead.
 */
export type GenerationEvent =
  | {
      type: 'start'; // the request is well-formed, though the engine may still refuse it
      model: string; // the served model's id
      warning: string | null; // something the client should know, such as a missing chat template
      trimmed: readonly (TrimReport & { prompt: number })[]; // prompts that were cut, and how
      quota: Readonly<Record<string, string>>; // what is left of the caller's limits, as HTTP headers
    }
  | {
      type: 'prompt';
      prompt: number;
      tokens: Int32Array;
      cachedTokens: number; // of them, not computed again
      logprobs: (TokenLogprob | null)[] | null;
    }
  | {
      type: 'delta';
      choice: number;
      text: string; // '' where only a message changed, or tokens came without text
      message: MessageDelta | null; // chat only
      tokens: number[];
      logprobs: TokenLogprob[] | null;
    }
  | { type: 'done'; choice: number; finishReason: FinishReason; stopSequence: string | null };

/** Must not throw. */
export type GenerationSink = (event: GenerationEvent) => void;

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number; // of promptTokens, taken from the prefix cache
  nanodollars: number | null; // null: nothing is accounted
}
