import { SluiceError } from '../errors.js';
import type { Constraint } from '../generation/types.js';
import type { ServedModel } from './models.js';

/** The grammar that the client asks for, as GBNF; '' where it asks for none. Throws invalid_grammar. */
export async function compileConstraint(
  model: ServedModel,
  constraint: Constraint | null,
  maxBytes: number,
): Promise<string> {
  if (constraint === null) return '';
  const [source, param] =
    constraint.kind === 'grammar'
      ? [constraint.grammar, 'grammar']
      : [constraint.schemaJson, 'response_format'];
  if (Buffer.byteLength(source) > maxBytes) {
    throw new SluiceError('invalid_grammar', `It is longer than ${maxBytes} bytes.`, { param });
  }
  try {
    if (constraint.kind === 'schema') return await model.text.jsonSchemaToGrammar(source);
    await model.text.validateGrammar(source);
    return source;
  } catch (error) {
    throw blaming(error, param);
  }
}

/** The error, and where it is about a grammar, which field that was made from. */
export function blaming(error: unknown, param: string): unknown {
  const isGrammars = error instanceof SluiceError && error.code === 'invalid_grammar';
  return isGrammars ? new SluiceError('invalid_grammar', error.message, { param }) : error;
}
