import type { ChatInput, TextInput } from '../../generation/types.js';
import type { Message, Parameters } from '../suite/schema.js';
import type { Question } from '../suite/suite.js';
import type { EndedExchange, Exchange } from './sample.js';

/** False where it isn't text: token ids, or a prompt that only echoes. */
export function canBeQuestion(input: TextInput | ChatInput): boolean {
  return input.kind === 'chat' || (typeof input.prompts[0] === 'string' && !input.echo);
}

/** Of the text that is asked. */
export function charactersOf(input: TextInput | ChatInput): number {
  if (input.kind === 'text') return typeof input.prompts[0] === 'string' ? input.prompts[0].length : 0;
  return input.messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
}

/** Definitions of tools can be long, would be held in memory, and no scorer looks at them. */
export function withoutTools(input: TextInput | ChatInput): TextInput | ChatInput {
  if (input.kind === 'text' || input.options.tools === undefined) return input;
  const { tools: _, ...options } = input.options;
  return { kind: 'chat', messages: input.messages, options };
}

/** Bounds that it was asked with, for asking it again. */
export function boundsOf({ maxTokens, stop }: Pick<Exchange, 'maxTokens' | 'stop'>): Parameters {
  return {
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...(stop.length === 0 ? {} : { stop }),
  };
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
