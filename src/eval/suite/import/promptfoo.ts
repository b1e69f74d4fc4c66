import { z } from 'zod';
import { withoutUndefined } from '../../../support/without-undefined.js';
import { type SuiteFile, suiteFile } from '../schema.js';
import { fill } from '../template.js';
import { quotePattern } from './openai-evals.js';

const assertion = z.object({
  type: z.string(),
  value: z.unknown().optional(),
  threshold: z.number().min(0).max(1).optional(),
  weight: z.number().gt(0).optional(),
});

const test = z.object({
  description: z.string().optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  assert: z.array(assertion).optional(),
  threshold: z.number().min(0).max(1).optional(),
});

const prompt = z.union([z.string(), z.object({ raw: z.string() }).transform(({ raw }) => raw)]);

const config = z.object({
  description: z.string().optional(),
  prompts: z.array(prompt).optional(),
  defaultTest: test.optional(),
  tests: z.array(test).min(1),
});

type Assertion = z.output<typeof assertion>;
type Variables = Record<string, unknown>;

/** Where an assertion is graded, the score that its own documentation passes at. */
const SIMILAR_ENOUGH = 0.75;
const RUBRIC_MET = 0.7;
const MOST_COMBINATIONS = 10_000;

/**
 * Test cases of promptfoo: each with each prompt and each combination of listed variables, asked as a chat. A test passes where all its
 * assertions do, or their weighted share reaches its threshold. What has no counterpart here (scripts, files, remote checks, filters
 * in templates) is refused by name rather than left out.
 */
export function importPromptfoo(document: unknown, name: string): SuiteFile {
  const { description, prompts = ['{{prompt}}'], defaultTest, tests } = config.parse(document);
  for (const text of prompts) refuseForeign(text);
  const cases = tests.flatMap((each, index) => {
    const label = each.description ?? `test-${index + 1}`;
    const assertions = [...(defaultTest?.assert ?? []), ...(each.assert ?? [])];
    const combinations = combined({ ...defaultTest?.vars, ...each.vars });
    return combinations.flatMap((vars, combination) =>
      prompts.map((text, variant) => {
        const which = [
          ...(combinations.length > 1 ? [`variables ${combination + 1}`] : []),
          ...(prompts.length > 1 ? [`prompt ${variant + 1}`] : []),
        ];
        const { scorers, expected } = scoring(assertions, vars, index);
        return withoutUndefined({
          id: which.length === 0 ? label : `${label} (${which.join(', ')})`,
          mode: 'chat',
          prompt: text,
          // Through variables, so that braces in the texts stay as they are.
          vars: { ...vars, expected_values: expected },
          expected: expected.length > 0 ? expected.map((_, at) => `{{expected_values.${at}}}`) : undefined,
          scorers,
          threshold: each.threshold ?? defaultTest?.threshold ?? 1,
        });
      }),
    );
  });
  return suiteFile.parse({ name: description ?? name, cases });
}

/** A variable that is a list stands for each of its values. */
function combined(vars: Variables): Variables[] {
  return Object.entries(vars).reduce<Variables[]>(
    (made, [name, value]) => {
      const values = Array.isArray(value) ? value : [value];
      if (made.length * values.length > MOST_COMBINATIONS)
        throw new Error(`its variables have more than ${MOST_COMBINATIONS} combinations`);
      return made.flatMap((each) => values.map((one: unknown) => ({ ...each, [name]: one })));
    },
    [{}],
  );
}

function refuseForeign(text: string): void {
  const plain = text.replace(/\{\{\s*[\w.-]+\s*\}\}/g, '');
  if (text.startsWith('file://')) throw new Error(`the prompt ${text} can't be imported: write it out`);
  if (/\{\{|\{%/.test(plain)) throw new Error('filters and statements in templates can’t be imported');
}

function scoring(
  assertions: readonly Assertion[],
  vars: Variables,
  index: number,
): { expected: string[]; scorers: object[] } {
  const made = assertions.map((each) => {
    const { scorer, expected } = scorerOf(each, (text) => fill(text, vars), index);
    return { expected, scorer: each.weight === undefined ? scorer : { ...scorer, weight: each.weight } };
  });
  const expected = [...new Set(made.flatMap((each) => each.expected ?? []))];
  if (expected.length > 1)
    throw new Error(`test ${index + 1}: several assertions compare with different texts; give each a test`);
  return { expected, scorers: made.map(({ scorer }) => scorer) };
}

function scorerOf(
  { type, value, threshold }: Assertion,
  filled: (text: string) => string,
  index: number,
): { scorer: object; expected?: string } {
  const textOf = (one: unknown) => filled(typeof one === 'string' ? one : JSON.stringify(one ?? ''));
  const text = textOf(value);
  const list = Array.isArray(value) ? value.map(textOf) : [text];
  const pattern = (found: string, not = false) => ({
    scorer: { type: 'regex', name: type, pattern: found, not },
  });
  const anyOf = `(?:${list.map(quotePattern).join('|')})`;
  switch (type) {
    case 'equals':
    case 'not-equals':
      return pattern(`\\A${quotePattern(text)}\\z`, type === 'not-equals');
    case 'contains':
    case 'contains-any':
      return { scorer: { type: 'contains', text: list } };
    case 'contains-all':
      return { scorer: { type: 'contains', text: list, all: true } };
    case 'not-contains':
      return pattern(quotePattern(text), true);
    case 'icontains':
    case 'icontains-any':
      return pattern(`(?i)${anyOf}`);
    case 'not-icontains':
      return pattern(`(?i)${anyOf}`, true);
    case 'starts-with':
      return pattern(`\\A${quotePattern(text)}`);
    case 'regex':
    case 'not-regex':
      return pattern(text, type === 'not-regex');
    case 'is-json':
      return { scorer: { type: 'json', ...(value === undefined ? {} : { schema: value }) } };
    case 'rouge-n':
      return {
        scorer: { type: 'rouge', variant: '1', atLeast: threshold ?? SIMILAR_ENOUGH },
        expected: text,
      };
    case 'similar':
      return { scorer: { type: 'embedding', atLeast: threshold ?? SIMILAR_ENOUGH }, expected: text };
    case 'llm-rubric':
    case 'model-graded-closedqa':
      return { scorer: { type: 'judge', criteria: [text], atLeast: threshold ?? RUBRIC_MET } };
    default:
      throw new Error(`test ${index + 1}: the assertion ${JSON.stringify(type)} can't be imported`);
  }
}
