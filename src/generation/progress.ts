import type { GenerationEvent, MessageDelta } from './types.js';

/** How far one choice has come, as its receiver has it. */
export interface ChoiceProgress {
  tokens: number[];
  message: MessageProgress | null; // chat only, from its first delta
  ended: boolean;
}

export interface MessageProgress {
  content: string;
  reasoning: string;
  toolCalls: { id: string; name: string; arguments: string }[];
}

/** What a receiver has of an answer: enough for it to go on elsewhere. */
export interface Progress {
  prompts: boolean[]; // those that were reported
  choices: ChoiceProgress[];
}

export function noProgress(prompts: number, choices: number): Progress {
  return {
    prompts: Array.from({ length: prompts }, () => false),
    choices: Array.from({ length: prompts * choices }, () => ({ tokens: [], message: null, ended: false })),
  };
}

export function noMessage(): MessageProgress {
  return { content: '', reasoning: '', toolCalls: [] };
}

/** Takes in an event that the receiver has been given. */
export function record(progress: Progress, event: GenerationEvent): void {
  if (event.type === 'prompt') progress.prompts[event.prompt] = true;
  if (event.type !== 'delta' && event.type !== 'done') return;
  const choice = progress.choices[event.choice]!;
  if (event.type === 'done') {
    choice.ended = true;
    return;
  }
  for (const token of event.tokens) choice.tokens.push(token);
  if (event.message === null) return;
  choice.message ??= noMessage();
  addTo(choice.message, event.message);
}

function addTo(message: MessageProgress, { content, reasoning_content, tool_calls }: MessageDelta): void {
  message.content += content ?? '';
  message.reasoning += reasoning_content ?? '';
  for (const { index, id, function: called } of tool_calls ?? []) {
    message.toolCalls[index] ??= { id: id ?? '', name: called.name ?? '', arguments: '' };
    message.toolCalls[index].arguments += called.arguments ?? '';
  }
}
