import type { Capability } from '../config/index.js';
import type { ValidatedRequest } from '../generation/types.js';

/** What a request asks of a model. */
export interface Needs {
  capabilities: Capability[];
  promptParam: 'prompt' | 'messages';
  promptTokens: number; // estimated, unless the prompt is tokens
  leastPromptTokens: number;
  trims: boolean; // a prompt that is too long is to be cut
  maxTokens: number | null; // all choices together
  choices: number;
}

/** Few texts have fewer than one token for so many characters. */
const MAX_CHARACTERS_PER_TOKEN = 8;
/** English prose in common vocabularies has about four characters a token; other text has fewer. */
const CHARACTERS_PER_TOKEN = 4;
/** Role and separators, in common templates. */
const TOKENS_PER_MESSAGE = 4;

export function needsOf(request: ValidatedRequest): Needs {
  const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
  const choices = prompts * request.choices;
  return {
    capabilities: capabilitiesFor(request),
    promptParam: request.input.kind === 'text' ? 'prompt' : 'messages',
    promptTokens: estimatePromptTokens(request),
    leastPromptTokens: leastPromptTokens(request),
    trims: request.trim !== null,
    maxTokens: request.maxTokens === null ? null : request.maxTokens * choices,
    choices,
  };
}

function capabilitiesFor({ input, constraint, sampling, prefixId }: ValidatedRequest): Capability[] {
  const needed: Capability[] = [];
  if (input.kind === 'chat') {
    needed.push('chat');
    if (Array.isArray(input.options.tools) && input.options.tools.length > 0) needed.push('tools');
    const format = input.options.response_format as { type?: string } | undefined;
    if (format !== undefined && format.type !== 'text') needed.push('json');
  } else {
    needed.push('completions');
    if (input.promptLogprobs >= 0) needed.push('prompt_logprobs');
    if (input.prompts.some((prompt) => typeof prompt !== 'string')) needed.push('tokens');
  }
  if (constraint !== null) needed.push(constraint.kind === 'grammar' ? 'grammar' : 'json');
  if (sampling.topLogprobs >= 0) needed.push('logprobs');
  if (prefixId !== null) needed.push('prefixes');
  return needed;
}

export function estimatePromptTokens({ input }: ValidatedRequest): number {
  let tokens = 0;
  if (input.kind === 'text') {
    for (const prompt of input.prompts)
      tokens += typeof prompt === 'string' ? tokensOfCharacters(prompt.length) : prompt.length;
  } else {
    for (const { content } of input.messages)
      tokens += tokensOfCharacters(content?.length ?? 0) + TOKENS_PER_MESSAGE;
  }
  return tokens;
}

export function leastPromptTokens({ input }: Pick<ValidatedRequest, 'input'>): number {
  let tokens = 0;
  let characters = 0;
  const texts = input.kind === 'text' ? input.prompts : input.messages.map(({ content }) => content ?? '');
  for (const text of texts) {
    if (typeof text === 'string') characters += text.length;
    else tokens += text.length;
  }
  return tokens + Math.floor(characters / MAX_CHARACTERS_PER_TOKEN);
}

export function tokensOfCharacters(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}
