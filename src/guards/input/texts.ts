import type { TextOrigin } from '../../config/index.js';
import { SluiceError } from '../../errors.js';
import type { ChatInput, ChatMessage, TextInput, ValidatedRequest } from '../../generation/types.js';
import type { GuardText } from '../types.js';

interface ToolCall {
  function?: { arguments?: unknown };
}

/** Every text of a request that guards look at, in the order of {@link withTexts}. Throws unsupported_parameter for token ids. */
export function textsOf(input: ValidatedRequest['input']): GuardText[] {
  const texts: GuardText[] = [];
  rewrite(input, (text, origin) => {
    texts.push({ text, origin });
    return text;
  });
  return texts;
}

/** The same input with other texts. */
export function withTexts(
  input: ValidatedRequest['input'],
  texts: readonly string[],
): ValidatedRequest['input'] {
  let next = 0;
  return rewrite(input, () => texts[next++]!);
}

/** Throws request_too_large: what nobody looks at isn't let through. */
export function refuseHuge(texts: readonly GuardText[], maxCharacters: number): void {
  const length = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (length <= maxCharacters) return;
  const message = `The texts have ${length} characters together; guards look at ${maxCharacters} at most.`;
  throw new SluiceError('request_too_large', message);
}

type Replace = (text: string, origin: TextOrigin) => string;

function rewrite(input: ValidatedRequest['input'], replace: Replace): ValidatedRequest['input'] {
  return input.kind === 'text' ? rewriteText(input, replace) : rewriteChat(input, replace);
}

function rewriteText(input: TextInput, replace: Replace): TextInput {
  const prompts = input.prompts.map((prompt) => {
    if (typeof prompt === 'string') return replace(prompt, 'user');
    const message = "This key's guards read text: send the prompt as text instead of token ids.";
    throw new SluiceError('unsupported_parameter', message, { param: 'prompt' });
  });
  return { ...input, prompts };
}

function rewriteChat(input: ChatInput, replace: Replace): ChatInput {
  return {
    ...input,
    messages: input.messages.map((message) => rewriteMessage(message, replace)),
    options: rewriteTools(input.options, replace),
  };
}

function rewriteMessage(message: ChatMessage, replace: Replace): ChatMessage {
  const rewritten: ChatMessage = { ...message };
  const origin = originOf(message.role);
  if (message.content !== null) rewritten.content = replace(message.content, origin);
  if (typeof message.reasoning_content === 'string')
    rewritten.reasoning_content = replace(message.reasoning_content, origin);
  if (typeof message.name === 'string') rewritten.name = replace(message.name, origin);
  if (Array.isArray(message.tool_calls)) {
    rewritten.tool_calls = (message.tool_calls as ToolCall[]).map((call) => {
      const asked = call.function?.arguments;
      if (typeof asked !== 'string') return call;
      return { ...call, function: { ...call.function, arguments: replace(asked, 'tool_call') } };
    });
  }
  return rewritten;
}

/** Descriptions of tools may come from elsewhere (MCP servers), and the model reads them. */
function rewriteTools(options: ChatInput['options'], replace: Replace): ChatInput['options'] {
  if (!Array.isArray(options.tools)) return options;
  return { ...options, tools: rewriteDescriptions(options.tools, replace) };
}

function rewriteDescriptions(value: unknown, replace: Replace): unknown {
  if (Array.isArray(value)) return value.map((item) => rewriteDescriptions(item, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const isText = name === 'description' && typeof inner === 'string';
      return [name, isText ? replace(inner, 'tool') : rewriteDescriptions(inner, replace)];
    }),
  );
}

function originOf(role: string): TextOrigin {
  if (role === 'system' || role === 'assistant') return role;
  return role === 'tool' || role === 'function' ? 'tool' : 'user';
}
