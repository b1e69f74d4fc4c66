import { z } from 'zod';

/** Given to a schema's `safeParse` or `parse`: what is wrong with a value, in words for who wrote it. */
export const plainly = { error: faultOf };

/** Undefined leaves the message to zod. */
function faultOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = `expected ${noun(issue.expected)}`;
      // It has a fraction, or is no number at all.
      if (typeof issue.input === 'number' && ['int', 'number'].includes(issue.expected)) return expected;
      return issue.input === undefined ? `missing; ${expected}` : `${expected}, not ${nounOf(issue.input)}`;
    }
    case 'invalid_value':
      return `expected ${oneOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case 'too_small':
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `expected ${issue.inclusive ? 'at most' : 'less than'} ${amount(issue.maximum, issue.origin)}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'expected a URL' : undefined;
    case 'unrecognized_keys':
      return `no such field: ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_union':
      return Array.isArray(issue.options)
        ? `expected ${oneOf(issue.options.map((option) => JSON.stringify(option)))}`
        : undefined;
    default:
      return undefined;
  }
}

const NOUNS: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function noun(type: string): string {
  return NOUNS[type] ?? type;
}

/** Its kind only: the value may be private, and it may be long. */
function nounOf(value: unknown): string {
  const type = z.core.util.parsedType(value);
  return type === 'boolean' ? String(value) : noun(type);
}

const UNITS: Record<string, string> = { string: 'character', array: 'entry', set: 'entry', map: 'entry' };

function amount(count: number | bigint, origin: string): string {
  const unit = UNITS[origin];
  if (unit === undefined) return String(count);
  return `${count} ${Number(count) === 1 ? unit : unit.replace(/y?$/, (end) => (end ? 'ies' : 's'))}`;
}

function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
