import { SluiceError } from '../errors.js';
import type { ServedModel } from './models.js';

/**
 * A token is at least one byte of text in every vocabulary but rarely more than a hundred, so text that is longer than
 * that for the whole context is refused before it is tokenised.
 */
const MAX_TOKEN_BYTES = 128;

export async function tokenizePrompt(
  model: ServedModel,
  text: string,
  first: boolean,
  param: string,
): Promise<Int32Array> {
  if (text.length > model.engine.maxContext * MAX_TOKEN_BYTES)
    throw contextExceeded(model, 'far more', param);
  return await model.text.tokenize(text, { addSpecial: first, parseSpecial: true });
}

/** Throws invalid_value for the first id that the vocabulary doesn't have. */
export function checkTokens(model: ServedModel, tokens: Int32Array, param: string): void {
  const wrong = tokens.findIndex((token) => token < 0 || token >= model.engine.model.vocabSize);
  if (wrong < 0) return;
  throw new SluiceError('invalid_value', `There is no token ${tokens[wrong]} in this model's vocabulary.`, {
    param: `${param}.${wrong}`,
  });
}

export function contextExceeded(model: ServedModel, asked: string, param: string): SluiceError {
  return new SluiceError(
    'context_length_exceeded',
    `This model's maximum context length is ${model.engine.maxContext} tokens, but the request has ${asked}.`,
    { param },
  );
}
