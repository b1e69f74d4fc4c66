/** What a model's chat template can't do of what a request asks for. */
import { SluiceError } from '../errors.js';
import type { ChatInput } from '../generation/types.js';
import type { TokenizedChat } from '../text/text-service.js';

type Options = ChatInput['options'];

/** Throws where a call of a tool is demanded of a model that nothing would hold to it. */
export function checkToolChoice(chat: TokenizedChat, { tool_choice: choice }: Options): void {
  const isDemanded = choice === 'required' || typeof choice === 'object';
  if (!isDemanded || (knowsTools(chat) && chat.grammar !== '')) return;
  throw new SluiceError(
    'unsupported_parameter',
    "tool_choice: this model's chat template has no tool calls, so none can be required",
    { param: 'tool_choice' },
  );
}

export function chatWarning(chat: TokenizedChat, options: Options): string | null {
  const warnings: string[] = [];
  if (chat.fallback) warnings.push('This model has no chat template; a plain one was used.');
  if (asksForTools(options) && !knowsTools(chat))
    warnings.push("This model's chat template has no tools; they were left out.");
  return warnings.length === 0 ? null : warnings.join(' ');
}

function asksForTools({ tools, tool_choice: choice }: Options): boolean {
  return Array.isArray(tools) && tools.length > 0 && choice !== 'none';
}

/** Where calls could come there is something to read them by. */
function knowsTools(chat: TokenizedChat): boolean {
  return chat.syntax !== '';
}
