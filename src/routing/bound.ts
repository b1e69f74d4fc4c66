import type { TokenBound } from '../cost/tab.js';
import type { ValidatedRequest } from '../generation/types.js';
import type { Deployment } from './deployment.js';
import { estimatePromptTokens, leastPromptTokens } from './needs.js';

/** Role and separators, in common templates; more than there are. */
const MAX_TEMPLATE_TOKENS_PER_MESSAGE = 16;

/**
 * What an answer takes, before its prompt is tokenised. By a model here at least so much, as it counts exactly before it
 * begins; by an upstream at most so much, as it counts only when it answers. `request` says how long the answer may be.
 */
export function boundOf({ spec }: Pick<Deployment, 'spec'>, request: ValidatedRequest): TokenBound {
  const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
  const completionTokens = prompts * request.choices * (request.maxTokens ?? 1);
  if (spec.upstream) {
    const promptTokens = estimatePromptTokens(request);
    return { promptTokens, dearestPromptTokens: mostPromptTokens(request), completionTokens };
  }
  const promptTokens = leastPromptTokens(request);
  return { promptTokens, dearestPromptTokens: promptTokens, completionTokens };
}

/** Vocabularies cover single bytes, so no text has more tokens than bytes. */
function mostPromptTokens({ input }: ValidatedRequest): number {
  if (input.kind === 'text') {
    let tokens = input.prompts.length; // each may get a token that begins it
    for (const prompt of input.prompts)
      tokens += typeof prompt === 'string' ? Buffer.byteLength(prompt) : prompt.length;
    return tokens;
  }
  const bytes = Buffer.byteLength(JSON.stringify(input.messages));
  const optionBytes = Buffer.byteLength(JSON.stringify(input.options));
  return bytes + optionBytes + MAX_TEMPLATE_TOKENS_PER_MESSAGE * input.messages.length;
}

/**
 * The request with a bound on its answer where its caller's budget needs one: an upstream would else write as long as it
 * likes.
 */
export function boundedFor(
  { spec, contextTokens }: Pick<Deployment, 'spec' | 'contextTokens'>,
  request: ValidatedRequest,
  defaultMaxTokens: number,
): ValidatedRequest {
  if (!spec.upstream || request.maxTokens !== null || request.caller.keyId === null) return request;
  const room = (contextTokens ?? Number.POSITIVE_INFINITY) - estimatePromptTokens(request);
  return { ...request, maxTokens: Math.max(1, Math.min(defaultMaxTokens, room)) };
}
