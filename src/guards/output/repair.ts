import type { Usage, ValidatedRequest } from '../../generation/types.js';
import { formatOptions } from '../builtin/format.js';
import type { ProfileGuard } from '../profile.js';

/** Whether this guard asks once more before it blocks. */
export function isRepairing({ use }: ProfileGuard): boolean {
  return use.guard === 'format' && formatOptions.parse(use.options).repair;
}

/** The same request, told what the answer has to look like, and where that can be done held to it. */
export function constrained(
  request: ValidatedRequest,
  { use }: ProfileGuard,
  rule: string,
): ValidatedRequest {
  const { repair: _, ...asked } = formatOptions.parse(use.options);
  const { jsonSchema } = asked;
  const hint = `The answer must keep to this form, and the last one broke the rule ${rule}: ${JSON.stringify(asked)}`;
  const { input } = request;
  const told =
    input.kind === 'chat'
      ? { ...input, messages: [...input.messages, { role: 'user', content: hint }] }
      : input;
  const isFree = request.constraint === null && jsonSchema !== undefined;
  return {
    ...request,
    id: `${request.id}/repair`,
    input: told,
    constraint: isFree ? { kind: 'schema', schemaJson: JSON.stringify(jsonSchema) } : request.constraint,
  };
}

/** What both answers took. */
export function together(first: Usage, second: Usage): Usage {
  return {
    ...second,
    promptTokens: first.promptTokens + second.promptTokens,
    completionTokens: first.completionTokens + second.completionTokens,
    cachedTokens: first.cachedTokens + second.cachedTokens,
  };
}
