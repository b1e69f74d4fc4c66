/** What passes between the stages, from the API to the engine and back. Nothing here comes unchecked from the wire: api/validate.ts makes it. */
import type { Caller } from '../auth/caller.js';
import type { SamplingParams } from '../engine/types.js';
import type { VocabTable } from '../native/types.js';
import type { TrimReport, TrimStrategy } from '../text/trim/types.js';
import type { GuardReport, RouteReport } from './report.js';

export interface ValidatedRequest {
  id: string; // the answer's id, unique
  caller: Caller;
  tenant: string; // the caller's
  user: string | null; // the client's own user; who has one stays with their variant
  model: string | null; // as the client named it; null: the default model
  routing: RoutingWishes;
  input: TextInput | ChatInput;
  choices: number; // per prompt
  maxTokens: number | null; // per choice; null: the default, clamped to the context
  sampling: Omit<SamplingParams, 'grammar' | 'grammarLazy' | 'grammarTriggers'>;
  /** What of it the client itself asked for; the rest are this server's defaults. */
  explicit: { temperature: boolean; seed: boolean };
  constraint: Constraint | null;
  /** How to cut a prompt that is too long; null: it is refused. Without maxTokens: to what the context holds beside the answer. */
  trim: { strategy: TrimStrategy; maxTokens: number | null } | null;
  stop: string[];
  priority: number; // 0 is served first
  deadlineMs: number; // by the steady clock
  sessionId: string | null;
  prefixId: string | null;
  cachePrompt: boolean;
  cache: CacheWishes;
  stream: boolean; // false: only the whole answer matters, so it may be put together late
  guards?: string | null; // a profile that the client wants beside its key's own
}

export interface RoutingWishes {
  fallbacks: string[]; // models to try, in this order, where the one named can't answer
  maxNanodollars: number | null; // models that would cost more are left out
  qualityThreshold: number | null; // of a cascade; null: the route's own
}

/** What the client wants of cached answers. */
export interface CacheWishes {
  use: boolean | null; // true: also where the answer is left to chance; false: not at all; null: by the server's rule
  reads: boolean; // false: a new answer, which may be kept
  maxAgeSeconds: number | null; // of an answer that will do
  onlyIfCached: boolean; // fail rather than compute
  similar: boolean | null; // also answers to questions that mean the same; null: by the server's rule
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

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'cancelled';

/** A token by its id, or where its vocabulary isn't here (upstreams) by its bytes, with the id −1. */
export interface ShownToken {
  token: number;
  piece?: Uint8Array;
  logprob: number;
}

export interface ShownLogprob extends ShownToken {
  top: ShownToken[]; // best first
}

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
 * A `queued` for each model that makes it wait; one `start`; each prompt: one `prompt`; each choice: any number of `delta`,
 * then one `done`. A failure ends all by rejection instead.
 */
export type GenerationEvent =
  | { type: 'queued'; position: number; estimateMs: number }
  | {
      type: 'start'; // the request is well-formed, though the engine may still refuse it
      model: string; // the served model's id
      vocab: VocabTable | null; // of its tokens; null: they bring their bytes
      route: RouteChoice | null; // null: the client named this very model
      warning: string | null; // something the client should know, such as a missing chat template
      trimmed: readonly (TrimReport & { prompt: number })[]; // prompts that were cut, and how
      quota: Readonly<Record<string, string>>; // what is left of the caller's limits, as HTTP headers
      guardWarnings?: readonly string[]; // of the request, "guard/category"
      cache?: CacheReport; // where the answer may be cached
    }
  | {
      type: 'prompt';
      prompt: number;
      tokens: Int32Array;
      cachedTokens: number; // of them, not computed again
      logprobs: (ShownLogprob | null)[] | null;
    }
  | {
      type: 'delta';
      choice: number;
      text: string; // '' where only a message changed, or tokens came without text
      message: MessageDelta | null; // chat only
      tokens: number[]; // −1 where the id isn't known
      logprobs: ShownLogprob[] | null;
    }
  | {
      type: 'done';
      choice: number;
      finishReason: FinishReason;
      stopSequence: string | null;
      guard?: GuardReport; // where guards have something to say of it
    };

/** Where an answer came from: the server's memory, the shared store, a similar question, or a computation that was under way. */
export type CacheLevel = 'l1' | 'l2' | 'l3' | 'flight';

export interface CacheReport {
  level: CacheLevel | null; // null: it was computed for this request
  key: string;
  ageMs: number; // of the answer
  similarity: number | null; // of the question that it was given to; null: the same
}

/** How a name came to stand for a model. */
export interface RouteChoice {
  name: string;
  variant: string | null; // of a split or canary
}

/** Must not throw. */
export type GenerationSink = (event: GenerationEvent) => void;

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number; // of promptTokens, taken from the prefix cache
  isEstimated?: boolean; // the upstream didn't count
  route?: RouteReport; // where more than one model could have answered
  cache?: CacheReport; // where the answer may be cached
  isBlocked?: boolean; // by a guard of who asked for it: it isn't kept
  nanodollars: number | null; // null: nothing is accounted
}
