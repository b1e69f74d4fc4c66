import { Pieces } from '../engine/detokenizer.js';
import { OutputText } from '../engine/output.js';
import { StopPatterns } from '../engine/stop.js';
import type { GenerateRequest } from '../engine/types.js';
import type { MessageProgress, Progress } from '../generation/progress.js';
import type { VocabTable } from '../native/types.js';

/** A choice's message as its receiver has it, and the text that it was read from. */
export interface ResumedMessage {
  text: string;
  message: MessageProgress;
}

/** The engine's requests for what is left of an answer that was begun elsewhere. */
export function resumed(requests: readonly GenerateRequest[], progress: Progress): GenerateRequest[] {
  return requests.map((request, prompt) => {
    const begun = progress.choices.slice(prompt * request.choices, (prompt + 1) * request.choices);
    const promptLogprobs = progress.prompts[prompt] ? -1 : request.promptLogprobs;
    return { ...request, promptLogprobs, resumed: begun };
  });
}

/** By choice; only those whose receiver has something of a message. */
export function resumedMessages(
  vocab: VocabTable,
  { stop, preservedTokens }: GenerateRequest,
  { choices }: Progress,
): Map<number, ResumedMessage> {
  const pieces = new Pieces(vocab);
  const stops = new StopPatterns(stop);
  const preserved = new Set(preservedTokens);
  const messages = new Map<number, ResumedMessage>();
  for (const [choice, { tokens, message }] of choices.entries()) {
    if (message === null) continue;
    const output = new OutputText(pieces, stops, preserved);
    messages.set(choice, { text: tokens.map((token) => output.push(token)).join(''), message });
  }
  return messages;
}
