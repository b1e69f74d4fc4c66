import type { ValidatedRequest } from '../../generation/types.js';
import { type AnswerSample, type QualityEstimator, worst } from './estimator.js';
import { repetition } from './repetition.js';

/** How refusals of the common chat models begin. Looked for in the opening only: later it may be a quotation. */
const REFUSALS =
  /\b(i(['’]m| am) (sorry|unable|not able)|i (can(['’]t|not)|won['’]t) (help|assist|answer|provide|do that)|as an ai( language)? model|i don['’]t (know|have (access|information)))/i;
const OPENING_CHARACTERS = 160;

/** What of a request its answers are held against. */
type Asked = Pick<ValidatedRequest, 'input' | 'constraint' | 'maxTokens'>;

const REFUSED = 0.2;
const CUT_SHORT = 0.5;

/** 1, unless something is visibly wrong with an answer: it is empty, refuses, loops, breaks off, or isn't the JSON asked for. */
export const ruleEstimator: QualityEstimator = {
  wantsLogprobs: false,
  estimate: ({ request, choices }) => worst(choices, (choice) => ruleQuality(choice, request)),
};

export function ruleQuality(choice: AnswerSample, request: Asked): number {
  const { text, hasToolCalls, finishReason } = choice;
  if (finishReason === 'content_filter') return 0;
  if (hasToolCalls) return 1;
  if (text.trim() === '') return 0;
  if (asksForJson(request) && !isJson(text)) return 0;
  let quality = 1 - repetition(text);
  if (isRefusal(text)) quality *= REFUSED;
  if (finishReason === 'length' && request.maxTokens === null) quality *= CUT_SHORT;
  return quality;
}

export function isRefusal(text: string): boolean {
  return REFUSALS.test(text.slice(0, OPENING_CHARACTERS));
}

function asksForJson({ input, constraint }: Asked): boolean {
  if (constraint !== null) return constraint.kind === 'schema';
  const format =
    input.kind === 'chat' ? (input.options.response_format as { type?: string } | undefined) : undefined;
  return format !== undefined && format.type !== 'text';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
