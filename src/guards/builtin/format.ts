import { Ajv, type ValidateFunction } from 'ajv';
import { franc } from 'franc-min';
import { RE2JS } from 're2js';
import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import type { Detector } from '../detector.js';

export const formatOptions = z.strictObject({
  jsonSchema: z.record(z.string(), z.unknown()).optional(),
  pattern: z.string().min(1).max(4096).optional(), // RE2; the whole answer has to match
  minCharacters: z.int().min(0).optional(),
  maxCharacters: z.int().min(0).optional(),
  languages: z.array(z.string().length(3)).min(1).optional(), // ISO 639-3
  minCitations: z.int().min(0).optional(), // like [1]
  repair: z.boolean().default(false), // one more try, constrained, before it is blocked
});

type Rule = (answer: string) => boolean;

/** Texts of an answer without calls of tools: the first is its content. */
const CONTENT_AND_REASONING = 2;

/** Shorter answers have no language that could be told. */
const MIN_LANGUAGE_CHARACTERS = 20;

/** What an answer has to look like. A finding names the first rule that it breaks. */
export function formatDetector({ options }: GuardUse): Detector {
  const rules = Object.entries(rulesOf(formatOptions.parse(options)));
  return {
    find: (texts) =>
      texts.map(({ text }, index) => {
        const isCallOnly = text === '' && texts.length > CONTENT_AND_REASONING;
        const broken = index > 0 || isCallOnly ? undefined : rules.find(([, holds]) => !holds(text))?.[0];
        if (broken === undefined) return [];
        const category = `format/${broken}`;
        return [{ start: 0, end: text.length, category, score: 1, isValidated: true, detail: broken }];
      }),
  };
}

function rulesOf(options: z.output<typeof formatOptions>): Record<string, Rule> {
  const { jsonSchema, pattern, minCharacters, maxCharacters, languages, minCitations } = options;
  const rules: Record<string, Rule> = {};
  if (minCharacters !== undefined) rules.min_characters = (answer) => answer.length >= minCharacters;
  if (maxCharacters !== undefined) rules.max_characters = (answer) => answer.length <= maxCharacters;
  if (jsonSchema !== undefined) {
    const isValid = new Ajv({ strict: false }).compile(jsonSchema);
    rules.json_schema = (answer) => isJson(answer, isValid);
  }
  if (pattern !== undefined) {
    const compiled = RE2JS.compile(pattern);
    rules.pattern = (answer) => compiled.matches(answer);
  }
  if (languages !== undefined)
    rules.language = (answer) =>
      ['und', ...languages].includes(franc(answer, { minLength: MIN_LANGUAGE_CHARACTERS }));
  if (minCitations !== undefined)
    rules.citations = (answer) => new Set(answer.match(/\[\d{1,4}\]/g) ?? []).size >= minCitations;
  return rules;
}

function isJson(answer: string, isValid: ValidateFunction): boolean {
  try {
    return isValid(JSON.parse(answer));
  } catch {
    return false;
  }
}
