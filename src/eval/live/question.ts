import type { ChatInput, TextInput } from '../../generation/types.js';
import type { Message } from '../suite/schema.js';
import type { Question } from '../suite/suite.js';
import type { EndedExchange, Exchange } from './sample.js';

/** False where it isn't text: token ids, or a prompt that only echoes. */
export function canBeQuestion(input: TextInput | ChatInput): boolean {
  return input.kind === 'chat' || (typeof input.prompts[0] === 'string' && !input.echo);
}

/** As it is scored and kept. */
export function exchangeOf({ caller: _, input, constraint: __, ...exchange }: EndedExchange): Exchange {
  return { question: questionOf(input), ...exchange };
}

function questionOf(input: TextInput | ChatInput): Question {
  if (input.kind === 'text') return { mode: 'completion', prompt: input.prompts[0] as string };
  const messages = input.messages.map(({ role, content }) => ({
    role: role as Message['role'],
    content: content ?? '',
  }));
  return { mode: 'chat', messages };
}
