import { z } from 'zod';
import { type SuiteFile, suiteFile } from '../schema.js';
import { quotePattern } from './openai-evals.js';

const assertion = z.object({
  type: z.string(),
  value: z.unknown().optional(),
  threshold: z.number().optional(),
  weight: z.number().gt(0).optional(),
});

const test = z.object({
  description: z.string().optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  assert: z.array(assertion).optional(),
});

const config = z.object({
  description: z.string().optional(),
  prompts: z.array(z.string()).optional(),
  defaultTest: test.optional(),
  tests: z.array(test).min(1),
});

type Assertion = z.output<typeof assertion>;

/**
 * Test cases of promptfoo: each with each prompt, asked as a chat. Assertions that have no counterpart here (scripts, remote
 * checks) are refused by name rather than left out.
 */
export function importPromptfoo(document: unknown, name: string): SuiteFile {
  const { description, prompts = ['{{prompt}}'], defaultTest, tests } = config.parse(document);
  const cases = tests.flatMap((each, index) =>
    prompts.map((prompt, variant) => ({
      id: `${each.description ?? `test-${index + 1}`}${prompts.length > 1 ? ` (prompt ${variant + 1})` : ''}`,
      mode: 'chat' as const,
      prompt,
      vars: { ...defaultTest?.vars, ...each.vars },
      ...scoring([...(defaultTest?.assert ?? []), ...(each.assert ?? [])], index),
    })),
  );
  return suiteFile.parse({ name: description ?? name, cases });
}

function scoring(
  assertions: readonly Assertion[],
  index: number,
): { expected?: string[]; scorers: object[] } {
  const expected: string[] = [];
  const scorers = assertions.map((each) => {
    const made = scorerOf(each, index);
    if (made.expected !== undefined) expected.push(made.expected);
    return { ...made.scorer, ...(each.weight === undefined ? {} : { weight: each.weight }) };
  });
  return { ...(expected.length > 0 ? { expected } : {}), scorers };
}

function scorerOf({ type, value }: Assertion, index: number): { scorer: object; expected?: string } {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const list = Array.isArray(value) ? value.map(String) : [text];
  switch (type) {
    case 'equals':
      return { scorer: { type: 'exact' }, expected: text };
    case 'contains':
      return { scorer: { type: 'contains', text: list } };
    case 'icontains':
      return { scorer: { type: 'regex', name: 'icontains', pattern: `(?i)${quotePattern(text)}` } };
    case 'contains-any':
      return { scorer: { type: 'contains', text: list } };
    case 'contains-all':
      return { scorer: { type: 'contains', text: list, all: true } };
    case 'not-contains':
      return { scorer: { type: 'regex', name: 'not-contains', pattern: quotePattern(text), not: true } };
    case 'starts-with':
      return { scorer: { type: 'regex', name: 'starts-with', pattern: `^${quotePattern(text)}` } };
    case 'regex':
      return { scorer: { type: 'regex', pattern: text } };
    case 'is-json':
      return { scorer: { type: 'json', ...(value === undefined ? {} : { schema: value }) } };
    case 'rouge-n':
      return { scorer: { type: 'rouge', variant: '1' }, expected: text };
    case 'similar':
      return { scorer: { type: 'embedding' }, expected: text };
    case 'llm-rubric':
      return { scorer: { type: 'judge', criteria: [text] } };
    default:
      throw new Error(`test ${index + 1}: the assertion ${JSON.stringify(type)} can't be imported`);
  }
}
