import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { plainly } from './wording.js';

function faults(schema: z.ZodType, value: unknown): string[] {
  return schema.safeParse(value, plainly).error!.issues.map(({ message }) => message);
}

test('what is wrong is said in plain words', () => {
  assert.deepEqual(faults(z.string(), undefined), ['missing; expected a string']);
  assert.deepEqual(faults(z.number(), 'x'), ['expected a number, not a string']);
  assert.deepEqual(faults(z.int(), 1.5), ['expected a whole number']);
  assert.deepEqual(faults(z.number(), Number.NaN), ['expected a number']);
  assert.deepEqual(faults(z.string(), true), ['expected a string, not true']);
  assert.deepEqual(faults(z.array(z.string()), { a: 1 }), ['expected an array, not an object']);
  assert.deepEqual(faults(z.enum(['a', 'b', 'c']), 'd'), ['expected "a", "b" or "c"']);
  assert.deepEqual(faults(z.strictObject({}), { modle: 1 }), ['no such field: "modle"']);
  const byRole = z.discriminatedUnion('role', [
    z.object({ role: z.literal('user') }),
    z.object({ role: z.literal('tool') }),
  ]);
  assert.deepEqual(faults(byRole, { role: 'usr' }), ['expected "user" or "tool"']);
});

test('bounds have the unit of what they bound', () => {
  assert.deepEqual(faults(z.number().min(1), 0), ['expected at least 1']);
  assert.deepEqual(faults(z.number().positive(), 0), ['expected more than 0']);
  assert.deepEqual(faults(z.number().max(9), 10), ['expected at most 9']);
  assert.deepEqual(faults(z.string().min(1), ''), ['expected at least 1 character']);
  assert.deepEqual(faults(z.array(z.int()).max(2), [1, 2, 3]), ['expected at most 2 entries']);
});

test("a schema's own message stands", () => {
  assert.deepEqual(faults(z.number('expected a price'), 'x'), ['expected a price']);
});
