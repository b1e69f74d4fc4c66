import type { Expected } from '../cost/accounting.js';
import type { Bill } from '../cost/admission.js';
import type { ServedModel } from './models.js';
import type { PreparedRequest } from './prepare.js';
import type { ChatInput, TextInput, ValidatedRequest } from './types.js';

/** Few texts have fewer than one token for so many characters: what is counted before tokenising refuses nothing that fits. */
const MAX_CHARACTERS_PER_TOKEN = 8;

/** Before the prompt is tokenised: at least so much. */
export function expectedOf({ id, caller, input, choices, maxTokens }: ValidatedRequest): Expected {
  const prompts = input.kind === 'text' ? input.prompts.length : 1;
  return { id, caller, tokens: leastTokens(input) + prompts * choices * (maxTokens ?? 1) };
}

/** When it is: at most so much. */
export function billOf(model: ServedModel, { requests }: PreparedRequest): Bill {
  let promptTokens = 0;
  let maxCompletionTokens = 0;
  for (const { prompt, choices, maxTokens } of requests) {
    promptTokens += prompt.length;
    maxCompletionTokens += choices * maxTokens;
  }
  return { model: model.id, isLocal: true, promptTokens, maxCompletionTokens };
}

function leastTokens(input: TextInput | ChatInput): number {
  let tokens = 0;
  let characters = 0;
  const texts = input.kind === 'text' ? input.prompts : input.messages.map(({ content }) => content ?? '');
  for (const text of texts) {
    if (typeof text === 'string') characters += text.length;
    else tokens += text.length;
  }
  return tokens + Math.floor(characters / MAX_CHARACTERS_PER_TOKEN);
}
