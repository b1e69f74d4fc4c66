/** The chat format for models that have no template of their own: "Role: text" paragraphs, and the assistant's turn. */

interface ChatMessage {
  role: string;
  content: string | { type: string; text?: string }[] | null;
}

interface ChatRequest {
  messages: ChatMessage[];
  add_generation_prompt?: boolean;
  response_format?: { type: string; schema?: object; json_schema?: { schema: object } };
}

/** What a model would write if it went on with the other's turn. */
export const plainChatStops = ['\nUser:', '\nSystem:'];

export function renderPlainChat(requestJson: string): string {
  const { messages, add_generation_prompt: open = true } = JSON.parse(requestJson) as ChatRequest;
  const turns = messages.map(({ role, content }) => `${label(role)}: ${textOf(content)}\n`);
  return `${turns.join('\n')}${open ? '\nAssistant:' : ''}`;
}

/** The JSON schema that the answer was asked to follow; null: none. A model's own template would see to it. */
export function plainChatSchema(requestJson: string): object | null {
  const { response_format: format } = JSON.parse(requestJson) as ChatRequest;
  if (format === undefined || format.type === 'text') return null;
  return format.json_schema?.schema ?? format.schema ?? { type: 'object' };
}

function label(role: string): string {
  if (role === 'developer') return 'System';
  return role.slice(0, 1).toUpperCase() + role.slice(1);
}

function textOf(content: ChatMessage['content']): string {
  if (content === null) return '';
  if (typeof content === 'string') return content;
  return content.map(({ text }) => text ?? '').join('');
}
