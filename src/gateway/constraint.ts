import { SluiceError } from '../errors.js';
import type { ChatInput, Constraint } from '../generation/types.js';
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

/**
 * Why a chat couldn't be rendered. A template's parser only says that it failed: where one of the request's schemas doesn't
 * compile by itself, that is the reason, and its field is named. O(schemas), of a request that has failed.
 */
export async function renderFault(model: ServedModel, error: unknown, options: ChatInput['options']) {
  if (!(error instanceof SluiceError) || !['invalid_request', 'invalid_grammar'].includes(error.code))
    return error;
  for (const [param, schema] of schemasOf(options)) {
    try {
      await model.text.jsonSchemaToGrammar(JSON.stringify(schema));
    } catch (fault) {
      return blaming(fault, param);
    }
  }
  return blaming(error, 'response_format' in options ? 'response_format' : 'tools');
}

/** The fields of a chat's options that have schemas; they are validated. */
interface OptionsWithSchemas {
  response_format?: { schema?: object; json_schema?: { schema: object } };
  tools?: { function: { parameters?: object } }[];
}

function schemasOf({ response_format: format, tools = [] }: OptionsWithSchemas): [string, object][] {
  const schemas: [string, object | undefined][] = [
    ['response_format', format?.json_schema?.schema ?? format?.schema],
    ...tools.map((tool, index): [string, object | undefined] => [
      `tools.${index}.function.parameters`,
      tool.function.parameters,
    ]),
  ];
  return schemas.filter((each): each is [string, object] => each[1] !== undefined);
}

/** The error, and where it is about a grammar, which field that was made from. */
function blaming(error: unknown, param: string): unknown {
  if (!(error instanceof SluiceError) || error.code !== 'invalid_grammar') return error;
  const message = error.message.replace(/^JSON schema conversion failed:\s*/, '').replaceAll('\n', '; ');
  return new SluiceError('invalid_grammar', message, { param });
}
