import { z } from 'zod';
import { type SuiteFile, suiteFile } from '../schema.js';

const row = z.object({
  input: z.union([
    z.string(),
    z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })).min(1),
  ]),
  ideal: z.union([z.string(), z.array(z.string()).min(1)]),
});

/** Samples of OpenAI Evals: `input` is a chat or a text, `ideal` one or several right answers. Scored like its Match: by the beginning. */
export function importOpenAiEvals(rows: readonly unknown[], name: string): SuiteFile {
  const cases = rows.map((each) => {
    const { input, ideal } = row.parse(each);
    const ideals = typeof ideal === 'string' ? [ideal] : ideal;
    // Through variables, so that braces in the texts stay as they are.
    const contents = typeof input === 'string' ? [input] : input.map(({ content }) => content);
    const asked =
      typeof input === 'string'
        ? { prompt: '{{input.0}}' }
        : { messages: input.map(({ role }, index) => ({ role, content: `{{input.${index}}}` })) };
    const begins = ideals.map((text) => quotePattern(text.trim())).join('|');
    return {
      ...asked,
      vars: { input: contents, ideals },
      expected: ideals.map((_, index) => `{{ideals.${index}}}`),
      scorers: [{ type: 'regex' as const, name: 'match', pattern: `^\\s*(?:${begins})` }],
    };
  });
  return suiteFile.parse({ name, cases, defaults: { params: { temperature: 0 } } });
}

/** A text as a pattern that finds it. */
export function quotePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
