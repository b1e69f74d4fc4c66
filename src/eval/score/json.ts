import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ScorerSpec } from '../suite/schema.js';
import { type Scorer, score } from './scorer.js';

/** Valid JSON that follows the schema, if there is one; and equals what is expected, if that is JSON. Throws for a bad schema. */
export function json({ schema }: Extract<ScorerSpec, { type: 'json' }>): Scorer {
  const validate =
    schema === undefined ? null : new Ajv2020({ strict: false, allErrors: true }).compile(schema);
  return ({ answer, subject }) => {
    let value: unknown;
    try {
      value = JSON.parse(answer);
    } catch (error) {
      return score(0, (error as Error).message);
    }
    if (validate && !validate(value)) {
      const faults = (validate.errors ?? []).map(
        ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
      );
      return score(0, faults.join('; '));
    }
    if (subject.expected.length === 0) return score(1);
    return score(subject.expected.some((text) => isEqual(value, text)));
  };
}

function isEqual(value: unknown, expected: string): boolean {
  try {
    return canonical(value) === canonical(JSON.parse(expected));
  } catch {
    return false;
  }
}

/** JSON with the keys of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
