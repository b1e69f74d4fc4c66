import { readFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { SluiceError } from '../../errors.js';
import { plainly } from '../../support/wording.js';
import { importMultipleChoice } from './import/multiple-choice.js';
import { importOpenAiEvals } from './import/openai-evals.js';
import { importPromptfoo } from './import/promptfoo.js';
import { caseFile, type SuiteFile, suiteFile } from './schema.js';
import { createSuite, type Suite } from './suite.js';

export const suiteFormats = ['sluice', 'promptfoo', 'openai-evals', 'multiple-choice'] as const;
export type SuiteFormat = (typeof suiteFormats)[number];

/** Reads a suite, of the format given or of the one it looks like. Throws invalid_value with what is wrong, and not_found. */
export async function loadSuite(path: string, format?: SuiteFormat): Promise<Suite> {
  const text = await readFile(path, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    const why = code === 'ENOENT' ? 'no such file' : code;
    throw new SluiceError('not_found', `The suite ${path} can't be read: ${why}.`);
  });
  try {
    return createSuite(
      parseSuite(text, { name: nameOf(path), isLines: extname(path) === '.jsonl', format }),
      dirname(path),
    );
  } catch (error) {
    throw new SluiceError('invalid_value', `${basename(path)}: ${messageOf(error)}`);
  }
}

interface Source {
  name: string;
  isLines: boolean;
  format: SuiteFormat | undefined;
}

export function parseSuite(text: string, { name, isLines, format }: Source): SuiteFile {
  if (!isLines) {
    const document: unknown = parseYaml(text); // JSON is YAML
    if ((format ?? guessDocument(document)) === 'promptfoo') return importPromptfoo(document, name);
    return suiteFile.parse(document, plainly);
  }
  const rows = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, index)]));
  switch (format ?? guessRows(rows)) {
    case 'openai-evals':
      return importOpenAiEvals(rows, name);
    case 'multiple-choice':
      return importMultipleChoice(rows, name);
    case 'promptfoo':
      return importPromptfoo({ tests: rows }, name);
    default:
      return suiteOfLines(rows, name);
  }
}

const headLine = z.strictObject({ suite: suiteFile.omit({ cases: true }).partial({ name: true }) });

/** A case a line; the first may be {"suite": {name, defaults}}. */
function suiteOfLines(rows: unknown[], name: string): SuiteFile {
  const head = headLine.safeParse(rows[0]);
  const rest = head.success ? rows.slice(1) : rows;
  const cases = rest.map((row, index) => {
    const parsed = caseFile.safeParse(row, plainly);
    if (!parsed.success) throw new Error(`case ${index + 1}: ${z.prettifyError(parsed.error)}`);
    return row;
  });
  return suiteFile.parse({ name, ...(head.success ? head.data.suite : {}), cases }, plainly);
}

function parseLine(line: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`line ${index + 1} isn't JSON: ${(error as Error).message}`);
  }
}

function guessDocument(document: unknown): SuiteFormat {
  return has(document, 'tests') && !has(document, 'cases') ? 'promptfoo' : 'sluice';
}

function guessRows([first]: unknown[]): SuiteFormat {
  if (has(first, 'input') && has(first, 'ideal')) return 'openai-evals';
  if (has(first, 'choices') && (has(first, 'gold') || has(first, 'answer') || has(first, 'label')))
    return 'multiple-choice';
  return has(first, 'assert') ? 'promptfoo' : 'sluice';
}

function has(value: unknown, field: string): boolean {
  return typeof value === 'object' && value !== null && field in value;
}

function nameOf(path: string): string {
  return basename(path, extname(path));
}

function messageOf(error: unknown): string {
  return error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
}
