import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { SluiceError } from '../errors.js';
import { plainly } from '../support/wording.js';
import type { BodyLimits } from './body.js';
import type { Exchange } from './exchange.js';

/**
 * The body as the schema's output. Throws unsupported_media_type, body_too_large, invalid_json or invalid_value. A JSON
 * content type is asked for since browsers send any other to this machine from any page, without asking first.
 */
export async function readJson<Schema extends z.ZodType>(
  exchange: Exchange,
  limits: BodyLimits,
  schema: Schema,
): Promise<z.output<Schema>> {
  const type = exchange.header('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new SluiceError(
      'unsupported_media_type',
      'The Content-Type must be application/json (with curl: -H "content-type: application/json").',
    );
  }
  const encoding = exchange.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    throw new SluiceError(
      'unsupported_media_type',
      `The Content-Encoding ${JSON.stringify(encoding)} isn't supported.`,
    );
  }
  return parse(schema, parseJson(decodeUtf8(await exchange.body(limits))));
}

export function parseJson(text: string, what = 'body'): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SluiceError('invalid_json', `The ${what} isn't valid JSON: ${describe(error as Error)}`);
  }
}

export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, plainly);
  if (parsed.success) return parsed.data;
  const issue = innermost(parsed.error.issues[0]!);
  const code =
    (issue.code === 'custom' && (issue.params?.code as 'unsupported_parameter')) || 'invalid_value';
  const param = issue.path.length > 0 ? issue.path.join('.') : null;
  throw new SluiceError(code, param === null ? issue.message : `${param}: ${issue.message}`, { param });
}

/**
 * A union's own message says little. The branch whose type fits, or that at least got furthest into the value, says what
 * was meant and what is wrong with it.
 */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const firsts = issue.errors.flatMap((branch) => branch.slice(0, 1));
  const fitting = firsts.filter((first) => first.code !== 'invalid_type' && first.code !== 'invalid_union');
  const deeper = firsts.filter((first) => first.path.length > 0);
  const best = (fitting.length > 0 ? fitting : deeper).sort((a, b) => b.path.length - a.path.length)[0];
  return best ? innermost({ ...best, path: [...issue.path, ...best.path] }) : issue;
}

function decodeUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new SluiceError('invalid_json', "The body isn't valid UTF-8.");
  const text = body.toString();
  return text.startsWith('\ufeff') ? text.slice(1) : text; // a byte order mark
}

/** V8's message without the excerpt of the body: it may be private, and it may be long. */
function describe(error: Error): string {
  return error.message.replace(/,? ?"[\s\S]*" is not valid JSON$/, '').replace(/ in JSON/, '');
}
