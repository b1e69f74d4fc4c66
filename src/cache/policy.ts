import type { FinishReason, Usage, ValidatedRequest } from '../generation/types.js';
import type { Plan } from '../routing/plan.js';
import type { Answer } from './types.js';

/** Whether the client or the server wants the answer cached. */
export function wantsCache(plan: Plan, request: ValidatedRequest, cachesSampled: boolean): boolean {
  const { use } = request.cache;
  return use ?? (cachesSampled || isDeterministic(plan, request));
}

/** What an upstream's own default of the temperature is, nobody knows. */
function isDeterministic(plan: Plan, { sampling, explicit }: ValidatedRequest): boolean {
  if (explicit.seed) return true;
  if (sampling.temperature !== 0) return false;
  return explicit.temperature || plan.candidates.every(({ deployment }) => !deployment.spec.upstream);
}

const orderlySteps = new Set(['answered', 'below_threshold', 'too_dear']);

/**
 * Whether an answer is what the request would get again: complete, unblocked, and from whom it was meant to be asked. An
 * answer that ended for its length is complete where the client set that length; at the default's or the
 * context's end it was cut off.
 */
export function isWorthKeeping(
  plan: Plan,
  { maxTokens }: ValidatedRequest,
  usage: Usage,
  events: Answer['events'],
): boolean {
  if (usage.isBlocked) return false;
  const steps = usage.route?.steps.slice(plan.passedOver.length) ?? [];
  if (steps.some(({ outcome }) => !orderlySteps.has(outcome))) return false; // somebody stood in
  const reasons = events.flatMap((event) => (event.type === 'done' ? [event.finishReason] : []));
  if (reasons.some((reason) => !isOrderly(reason))) return false;
  const cut = reasons.filter((reason) => reason === 'length').length;
  return cut === 0 || (maxTokens !== null && usage.completionTokens >= cut * maxTokens);
}

function isOrderly(reason: FinishReason): boolean {
  return reason === 'stop' || reason === 'length' || reason === 'tool_calls';
}

const PROMPT_HEAD_CHARACTERS = 256;

/** The beginning of the prompt, or of the conversation; '' where it is tokens. */
export function promptHeadOf({ input }: ValidatedRequest): string {
  const first = input.kind === 'text' ? input.prompts[0] : input.messages[0]?.content;
  return typeof first === 'string' ? first.slice(0, PROMPT_HEAD_CHARACTERS) : '';
}
