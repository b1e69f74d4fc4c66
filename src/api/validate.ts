import type { Caller } from '../auth/index.js';
import type { Config } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { ChatMessage, Constraint, ValidatedRequest } from '../generation/types.js';
import { nanodollars } from '../support/money.js';
import { steadyNowMs } from '../support/steady-clock.js';
import { withoutUndefined } from '../support/without-undefined.js';
import type { CacheControl } from './cache-control.js';
import type { ChatRequest, WireMessage } from './schemas/chat.js';
import type { GenerationFields, ResponseFormat } from './schemas/common.js';
import type { CompletionRequest } from './schemas/completions.js';

/** What a request takes from around it. */
export interface RequestScope {
  id: string;
  caller: Caller;
  nowMs: number; // epoch
  randomSeed: number; // uint32, where the client gives none
  limits: Config['requests'];
  cacheControl: CacheControl; // of the request's head or message
}

export function validateCompletion(wire: CompletionRequest, scope: RequestScope): ValidatedRequest {
  const prompts = promptsOf(wire.prompt);
  const choices = wire.n ?? 1;
  if (prompts.length * choices > scope.limits.maxSequences) {
    throw tooMany(
      `${prompts.length} prompts × ${choices} choices are more than ${scope.limits.maxSequences}.`,
    );
  }
  return {
    input: {
      kind: 'text',
      prompts,
      echo: wire.echo ?? false,
      promptLogprobs: wire.echo ? (wire.logprobs ?? -1) : -1,
    },
    choices,
    maxTokens: wire.max_tokens ?? null,
    sampling: sampling(wire, scope, wire.logprobs ?? -1),
    constraint: constraintOf(wire.grammar, wire.response_format),
    ...common(wire, scope),
  };
}

export function validateChat(wire: ChatRequest, scope: RequestScope): ValidatedRequest {
  const choices = wire.n ?? 1;
  if (choices > scope.limits.maxSequences) {
    throw tooMany(`${choices} choices are more than ${scope.limits.maxSequences}.`);
  }
  return {
    input: { kind: 'chat', messages: chatMessagesOf(wire.messages), options: templateOptions(wire) },
    choices,
    maxTokens: wire.max_completion_tokens ?? wire.max_tokens ?? null,
    sampling: sampling(wire, scope, wire.logprobs ? (wire.top_logprobs ?? 0) : -1),
    constraint: constraintOf(wire.grammar, undefined), // the template compiles response_format
    ...common(wire, scope),
  };
}

export function chatMessagesOf(messages: readonly WireMessage[]): ChatMessage[] {
  return messages.map((message) => {
    const { content } = message;
    const shown = withoutUndefined(message) as ChatMessage;
    // Templates know "system"; OpenAI's newer models call the same role "developer".
    if (message.role === 'developer') shown.role = 'system';
    shown.content = Array.isArray(content) ? content.map((part) => part.text).join('') : (content ?? null);
    return shown;
  });
}

/** Spread into a literal as the last part: V8 (Node 20) takes 15 µs where further fields follow a spread. */
function common(wire: GenerationFields, { id, caller, nowMs, limits, cacheControl }: RequestScope) {
  const { stop } = wire;
  const timeoutMs = Math.min(wire.timeout_ms ?? limits.maxTimeoutMs, limits.maxTimeoutMs);
  return {
    id,
    user: wire.user ?? null,
    model: wire.model ?? null,
    routing: {
      fallbacks: wire.fallbacks ?? [],
      maxNanodollars: wire.max_cost === undefined ? null : nanodollars(wire.max_cost),
      qualityThreshold: wire.quality_threshold ?? null,
    },
    explicit: { temperature: wire.temperature !== undefined, seed: wire.seed !== undefined },
    caller,
    tenant: caller.tenant,
    trim: trimOf(wire.optimize_prompt),
    stop: stop === undefined ? [] : typeof stop === 'string' ? [stop] : stop,
    // The first class stands before every tenant's fair share.
    priority: Math.max(wire.priority ?? 1, caller.isAdmin ? 0 : 1),
    deadlineMs: steadyNowMs() + Math.min(timeoutMs, (wire.deadline ?? Number.POSITIVE_INFINITY) - nowMs),
    sessionId: wire.session_id ?? null,
    prefixId: wire.prefix_id ?? null,
    cachePrompt: wire.cache_prompt ?? true,
    cache: cacheWishes(wire, cacheControl),
    stream: wire.stream ?? false,
    guards: wire.guards ?? null,
  };
}

function cacheWishes(
  { cache, cache_similar }: GenerationFields,
  { noStore, noCache, maxAgeSeconds, onlyIfCached }: CacheControl,
): ValidatedRequest['cache'] {
  return {
    use: noStore ? false : (cache ?? null),
    reads: !noCache,
    maxAgeSeconds,
    onlyIfCached,
    similar: cache_similar ?? null,
  };
}

function trimOf(wire: GenerationFields['optimize_prompt']): ValidatedRequest['trim'] {
  if (!wire) return null;
  const { strategy, max_tokens } = wire === true ? {} : wire;
  return { strategy: strategy ?? 'drop_oldest', maxTokens: max_tokens ?? null };
}

function sampling(
  wire: GenerationFields,
  scope: RequestScope,
  topLogprobs: number,
): ValidatedRequest['sampling'] {
  return {
    temperature: wire.temperature ?? scope.limits.defaultTemperature,
    topK: wire.top_k ?? 0,
    topP: wire.top_p ?? 1,
    minP: wire.min_p ?? 0,
    repeatPenalty: wire.repeat_penalty ?? 1,
    frequencyPenalty: wire.frequency_penalty ?? 0,
    presencePenalty: wire.presence_penalty ?? 0,
    seed: (wire.seed ?? scope.randomSeed) >>> 0,
    logitBias: wire.logit_bias ? biasOf(wire.logit_bias) : [],
    ignoreEos: wire.ignore_eos ?? false,
    topLogprobs,
  };
}

function biasOf(bias: Record<string, number>): ValidatedRequest['sampling']['logitBias'] {
  return Object.entries(bias).map(([token, bias]) => ({ token: Number(token), bias }));
}

function templateOptions(wire: ChatRequest): Record<string, unknown> {
  return withoutUndefined({
    tools: wire.tools,
    tool_choice: wire.tool_choice,
    parallel_tool_calls: wire.parallel_tool_calls,
    chat_template_kwargs: wire.chat_template_kwargs,
    response_format: wire.response_format,
  });
}

function constraintOf(grammar: string | undefined, format: ResponseFormat | undefined): Constraint | null {
  if (grammar !== undefined) return { kind: 'grammar', grammar };
  if (format === undefined || format.type === 'text') return null;
  const schema =
    format.type === 'json_schema' ? format.json_schema.schema : (format.schema ?? { type: 'object' });
  return { kind: 'schema', schemaJson: JSON.stringify(schema) };
}

function promptsOf(prompt: CompletionRequest['prompt']): (string | Int32Array)[] {
  if (typeof prompt === 'string') return [prompt];
  if (typeof prompt[0] === 'number') return [Int32Array.from(prompt as number[])];
  return (prompt as (string | number[])[]).map((each) =>
    typeof each === 'string' ? each : Int32Array.from(each),
  );
}

function tooMany(message: string): SluiceError {
  return new SluiceError('invalid_value', message, { param: 'n' });
}
