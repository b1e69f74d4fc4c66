import type { ValidatedRequest } from '../../generation/types.js';

/** A request, taken apart into what is compared by meaning and what must be the same. */
export interface Asked {
  text: string;
  /** The request without that text. */
  rest: ValidatedRequest;
}

/** What was asked, and everything that must be the same for its answer to be one for another question. */
export interface AskedQuestion {
  scope: string;
  text: string;
  vector: Float32Array; // of length 1
}

/** The last message of a conversation, if it is a user's, or a prompt that is alone. Null: nothing to compare. */
export function askedOf(request: ValidatedRequest): Asked | null {
  const { input } = request;
  if (input.kind === 'text') {
    const [prompt] = input.prompts;
    if (input.prompts.length !== 1 || typeof prompt !== 'string' || input.echo) return null;
    return { text: prompt, rest: { ...request, input: { ...input, prompts: [''] } } };
  }
  const last = input.messages.at(-1);
  if (last?.role !== 'user' || typeof last.content !== 'string') return null;
  const messages = [...input.messages.slice(0, -1), { ...last, content: '' }];
  return { text: last.content, rest: { ...request, input: { ...input, messages } } };
}
