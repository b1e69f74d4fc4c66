import { z } from 'zod';
import { withoutUndefined } from '../../../support/without-undefined.js';
import { type SuiteFile, suiteFile } from '../schema.js';

const row = z
  .object({
    id: z.union([z.string(), z.number()]).optional(),
    query: z.string().min(1).optional(),
    question: z.string().min(1).optional(),
    ctx: z.string().min(1).optional(),
    choices: z.array(z.string().min(1)).min(2),
    gold: z.int().min(0).optional(),
    answer: z.int().min(0).optional(),
    label: z.int().min(0).optional(),
    tags: z.array(z.string()).optional(),
  })
  .transform(({ id, choices, tags, ...rest }) => ({
    id: id === undefined ? undefined : String(id),
    prompt: rest.query ?? rest.question ?? rest.ctx,
    choices,
    right: rest.gold ?? rest.answer ?? rest.label,
    tags,
  }));

/**
 * Documents as lm-evaluation-harness has them for multiple choice: a query, its continuations, and the index of the right one. A
 * space is put before each choice that has none, as the harness's `target_delimiter` does.
 */
export function importMultipleChoice(rows: readonly unknown[], name: string): SuiteFile {
  const cases = rows.map((each, index) => {
    const { id, prompt, choices, right, tags } = row.parse(each);
    const continuations = choices.map((choice) => (/^\s/.test(choice) ? choice : ` ${choice}`));
    const expected = continuations[right ?? -1];
    if (prompt === undefined || expected === undefined) {
      throw new Error(`line ${index + 1}: needs query, choices and the index of the right one as gold`);
    }
    return {
      id,
      prompt: '{{query}}',
      vars: { query: prompt, choices: continuations, expected },
      choices: continuations.map((_, at) => `{{choices.${at}}}`),
      expected: '{{expected}}',
      tags,
    };
  });
  return suiteFile.parse({
    name,
    cases: cases.map(withoutUndefined),
    defaults: { scorers: [{ type: 'choice' }] },
  });
}
