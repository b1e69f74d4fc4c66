import type { GenerateRequest, SamplingParams } from '../engine/types.js';
import { SluiceError } from '../errors.js';
import type { ChatInput, TextInput, ValidatedRequest } from '../generation/types.js';
import type { TrimOptions, TrimReport } from '../text/trim/types.js';
import { chatWarning, checkToolChoice } from './chat-template.js';
import { compileConstraint, renderFault } from './constraint.js';
import type { ServedModel } from './models.js';
import type { PrefixStore } from './prefixes.js';
import { checkTokens, contextExceeded, tokenizePrompt } from './prompts.js';

/** A request in the engine's terms: one engine request per prompt. */
export interface PreparedRequest {
  requests: GenerateRequest[];
  /** How to read an assistant's message out of the text; null for completions, '' where all text is content. */
  messageSyntax: string | null;
  warning: string | null;
  /** Prompts that were cut, and how. */
  trimmed: (TrimReport & { prompt: number })[];
}

interface PreparedInput {
  prompts: Int32Array[];
  grammar: Pick<SamplingParams, 'grammar' | 'grammarLazy' | 'grammarTriggers'>;
  preservedTokens: readonly number[];
  additionalStops: string[];
  messageSyntax: string | null;
  warning: string | null;
  trimmed: PreparedRequest['trimmed'];
}

export interface PrepareLimits {
  defaultMaxTokens: number;
  maxAnswerEntries: number;
  maxGrammarBytes: number;
}

/** Tokenises or renders, compiles the grammar, and settles max_tokens. Throws what the client must change. */
export async function prepare(
  model: ServedModel,
  prefixes: PrefixStore,
  limits: PrepareLimits,
  request: ValidatedRequest,
): Promise<PreparedRequest> {
  const grammar = await compileConstraint(model, request.constraint, limits.maxGrammarBytes);
  const input =
    request.input.kind === 'text'
      ? await prepareText(model, prefixes, limits, request, request.input)
      : await prepareChat(model, prefixes, limits, request, request.input);
  const sampling = { ...request.sampling, ...(grammar === '' ? input.grammar : plainGrammar(grammar)) };
  checkBias(model, sampling);
  const requests = input.prompts.map((prompt, index) => ({
    id: input.prompts.length === 1 ? request.id : `${request.id}/${index}`,
    tenant: request.tenant,
    prompt,
    choices: request.choices,
    maxTokens: settleMaxTokens(model, prompt.length, request, limits.defaultMaxTokens),
    sampling,
    preservedTokens: input.preservedTokens,
    stop: [...request.stop, ...input.additionalStops],
    priority: request.priority,
    deadlineMs: request.deadlineMs,
    sessionId: request.sessionId,
    promptLogprobs: request.input.kind === 'text' ? request.input.promptLogprobs : -1,
    cachePrompt: request.cachePrompt,
  }));
  checkAnswerSize(requests, request.input.kind === 'text' && request.input.echo, limits.maxAnswerEntries);
  const { messageSyntax, warning, trimmed } = input;
  return { requests, messageSyntax, warning, trimmed };
}

async function prepareText(
  model: ServedModel,
  prefixes: PrefixStore,
  limits: PrepareLimits,
  request: ValidatedRequest,
  input: TextInput,
): Promise<PreparedInput> {
  const prefix = await prefixTokensOf(model, prefixes, request);
  const trim = trimOptions(model, request, limits.defaultMaxTokens);
  const trimmed: PreparedRequest['trimmed'] = [];
  const prompts = await Promise.all(
    input.prompts.map(async (prompt, index) => {
      const param = input.prompts.length === 1 ? 'prompt' : `prompt.${index}`;
      if (trim && typeof prompt === 'string') {
        const { tokens, report } = await model.text.trimText(prompt, trim);
        if (report) trimmed.push({ prompt: index, ...report });
        return tokens;
      }
      const own =
        typeof prompt === 'string' ? await tokenizePrompt(model, prompt, prefix === null, param) : prompt;
      checkTokens(model, own, param);
      const tokens = prefix ? concat(prefix, own) : own;
      if (tokens.length > 0) return tokens;
      throw new SluiceError('invalid_value', 'The prompt has no tokens.', { param });
    }),
  );
  return {
    prompts,
    grammar: plainGrammar(''),
    preservedTokens: [],
    additionalStops: [],
    messageSyntax: null,
    warning: null,
    trimmed,
  };
}

async function prepareChat(
  model: ServedModel,
  prefixes: PrefixStore,
  limits: PrepareLimits,
  request: ValidatedRequest,
  input: ChatInput,
): Promise<PreparedInput> {
  const messages = [...(await prefixMessages(model, prefixes, request)), ...input.messages];
  const rendering = JSON.stringify({ ...input.options, messages, add_generation_prompt: true });
  const trim = trimOptions(model, request, limits.defaultMaxTokens);
  const { chat, report } = await renderChat(model, rendering, trim).catch(async (error: unknown) => {
    throw await renderFault(model, error, input.options);
  });
  checkToolChoice(chat, input.options);
  return {
    prompts: [chat.tokens],
    grammar: { grammar: chat.grammar, grammarLazy: chat.grammarLazy, grammarTriggers: chat.grammarTriggers },
    preservedTokens: chat.preservedIds,
    additionalStops: chat.additionalStops,
    messageSyntax: chat.syntax,
    warning: chatWarning(chat, input.options),
    trimmed: report ? [{ prompt: 0, ...report }] : [],
  };
}

async function renderChat(model: ServedModel, rendering: string, trim: TrimOptions | null) {
  if (trim === null) return { chat: await model.text.chat(rendering), report: null };
  return model.text.trimChat(rendering, trim);
}

async function prefixTokensOf(
  model: ServedModel,
  prefixes: PrefixStore,
  request: ValidatedRequest,
): Promise<Int32Array | null> {
  if (request.prefixId === null) return null;
  const content = await prefixes.get(model.id, request.tenant, request.prefixId);
  if (content.kind === 'text') return content.tokens;
  throw new SluiceError('invalid_value', 'This prefix holds chat messages; use it with chat completions.', {
    param: 'prefix_id',
  });
}

async function prefixMessages(model: ServedModel, prefixes: PrefixStore, request: ValidatedRequest) {
  if (request.prefixId === null) return [];
  const content = await prefixes.get(model.id, request.tenant, request.prefixId);
  if (content.kind === 'chat') return content.messages;
  throw new SluiceError('invalid_value', 'This prefix holds a plain prompt; use it with completions.', {
    param: 'prefix_id',
  });
}

function plainGrammar(grammar: string): PreparedInput['grammar'] {
  return { grammar, grammarLazy: false, grammarTriggers: [] };
}

/** An answer of unsaid length is left the default, but at most a quarter of the context. */
function trimOptions(
  model: ServedModel,
  { trim, maxTokens }: ValidatedRequest,
  fallback: number,
): TrimOptions | null {
  if (trim === null) return null;
  const { maxContext } = model.engine;
  const room = maxContext - (maxTokens ?? Math.min(fallback, Math.floor(maxContext / 4)));
  return { strategy: trim.strategy, maxTokens: Math.max(1, Math.min(room, trim.maxTokens ?? room)) };
}

/** Throws context_length_exceeded where the prompt alone, or the prompt with the answer asked for, doesn't fit. */
function settleMaxTokens(
  model: ServedModel,
  promptTokens: number,
  request: ValidatedRequest,
  fallback: number,
) {
  const room = model.engine.maxContext - promptTokens;
  const asked = request.maxTokens;
  if (room < Math.min(asked ?? 1, 1)) {
    const param = request.input.kind === 'text' ? 'prompt' : 'messages';
    throw contextExceeded(model, `${promptTokens} in the prompt`, param);
  }
  if (asked === null) return Math.min(fallback, room);
  if (asked <= room) return asked;
  throw contextExceeded(model, `${promptTokens} in the prompt and ${asked} in the answer`, 'max_tokens');
}

/** n, echo and alternatives multiply: an answer that could grow to gigabytes is refused before it is begun. */
function checkAnswerSize(requests: readonly GenerateRequest[], echo: boolean, maxEntries: number): void {
  let entries = 0;
  for (const { prompt, choices, maxTokens, promptLogprobs, sampling } of requests) {
    const perPromptToken = echo ? 2 + promptLogprobs : 0;
    const perToken = 1 + sampling.topLogprobs;
    entries += choices * (prompt.length * perPromptToken + maxTokens * perToken);
  }
  if (entries <= maxEntries) return;
  const message = `Echoed tokens, log-probabilities and alternatives would be ${entries}; at most ${maxEntries} are sent.`;
  throw new SluiceError('invalid_value', message, { param: echo ? 'echo' : 'logprobs' });
}

function checkBias(model: ServedModel, sampling: SamplingParams): void {
  const wrong = sampling.logitBias.find(({ token }) => token >= model.engine.model.vocabSize);
  if (!wrong) return;
  throw new SluiceError('invalid_value', `There is no token ${wrong.token} in this model's vocabulary.`, {
    param: `logit_bias.${wrong.token}`,
  });
}

function concat(first: Int32Array, second: Int32Array): Int32Array {
  const joined = new Int32Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
