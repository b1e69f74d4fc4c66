import { createHash } from 'node:crypto';
import type { ValidatedRequest } from '../../generation/types.js';

/**
 * What the requests of one conversation have in common, whichever gateway they come to: the session that the client names, or
 * else how the conversation began. '' for a prompt by itself.
 */
export function conversationOf({
  tenant,
  sessionId,
  input,
}: Pick<ValidatedRequest, 'tenant' | 'sessionId' | 'input'>): string {
  if (sessionId !== null) return digestOf([tenant, sessionId]);
  if (input.kind === 'text') return '';
  const first = input.messages.findIndex(({ role }) => role === 'user');
  return first === -1 ? '' : digestOf([tenant, input.messages.slice(0, first + 1), input.options.tools]);
}

function digestOf(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
