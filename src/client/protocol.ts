/** Messages of `/v1/stream`, as the client sees them. Requests have the fields of the HTTP routes. */

export interface GenerationOptions {
  model?: string;
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  repeat_penalty?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  logit_bias?: Record<string, number>;
  seed?: number;
  n?: number;
  stop?: string | string[];
  ignore_eos?: boolean;
  grammar?: string;
  response_format?: Record<string, unknown>;
  guards?: string; // a profile beside the key's own
  session_id?: string;
  prefix_id?: string;
  cache_prompt?: boolean;
  cache?: boolean;
  priority?: number;
  timeout_ms?: number;
  user?: string;
  fallbacks?: string[];
  max_cost?: number;
  quality_threshold?: number;
  optimize_prompt?: boolean | { strategy?: 'drop_oldest' | 'middle_out' | 'head_tail'; max_tokens?: number };
}

export interface CompletionRequest extends GenerationOptions {
  prompt: string | string[] | number[] | number[][];
  echo?: boolean;
  logprobs?: number;
}

export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content: string | { type: 'text'; text: string }[] | null;
  name?: string;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
}

export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

export interface ChatRequest extends GenerationOptions {
  messages: ChatMessage[];
  max_completion_tokens?: number;
  logprobs?: boolean;
  top_logprobs?: number;
  tools?: Record<string, unknown>[];
  tool_choice?: 'none' | 'auto' | 'required' | Record<string, unknown>;
  parallel_tool_calls?: boolean;
  chat_template_kwargs?: Record<string, unknown>;
}

export interface TokenMessage {
  type: 'token';
  id: string;
  index: number; // choice
  text: string;
  reasoning_content?: string;
  tool_calls?: { index: number; id?: string; function: { name?: string; arguments?: string } }[];
  logprobs?: Record<string, unknown>;
}

export interface QueuedMessage {
  type: 'queued';
  id: string;
  position: number; // 1 is next
  estimate_ms: number;
}

export type CacheStatus = 'hit-l1' | 'hit-l2' | 'hit-l3' | 'hit-flight' | 'miss';

export interface DoneMessage {
  type: 'done';
  id: string;
  request_id: string;
  model: string;
  choices: {
    index: number;
    finish_reason: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'cancelled';
    stop_sequence: string | null;
    /** What guards say of it. */
    guard?: {
      blocked: { stage: 'input' | 'output'; guard: string; category: string; score: number } | null;
      warnings: string[];
    };
  }[];
  usage: {
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
    prompt_tokens_details: { cached_tokens: number };
    cost?: number; // dollars; where the server has keys
    cache?: CacheStatus;
  };
  /** Where the answer may be cached. */
  cache?: { status: CacheStatus; key: string; age?: number; similarity?: number };
  warning?: string;
  /** What guards say of the request, "guard/category". */
  guard_warnings?: string[];
  /** How the answer came about, where more than one model could have given it. */
  sluice?: {
    model: string;
    route: string;
    variant: string | null;
    cost_dollars: number;
    quality: number | null;
    steps: { model: string; outcome: string; cost_dollars: number; quality: number | null }[];
  };
  trimmed?: {
    prompt: number;
    strategy: string;
    max_tokens: number;
    tokens_before: number;
    tokens_after: number;
    messages_removed: number[];
    sentences_removed: { message: number; sentences: number }[];
  }[];
}

export interface ErrorMessage {
  type: 'error';
  id: string | null; // null: the message that caused it named no generation
  error: { message: string; type: string; code: string; param: string | null; retry_after_seconds?: number };
}

/** The key that was sent is good. */
export interface ReadyMessage {
  type: 'ready';
  id: null;
}

export type ServerMessage = TokenMessage | QueuedMessage | DoneMessage | ErrorMessage | ReadyMessage;

export type ClientMessage =
  | { type: 'generate'; id: string; request: CompletionRequest | ChatRequest; cache_control?: string }
  | { type: 'cancel'; id: string }
  | { type: 'auth'; key: string };
