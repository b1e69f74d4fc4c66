import { register } from 'node:module';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { SluiceError } from '../../errors.js';
import type { ScorerSpec } from '../suite/schema.js';
import { textOf } from '../suite/suite.js';
import { type Scorer, score, unknownScore } from './scorer.js';

/** What a module of the user's own exports. */
export type CustomScorer = (given: {
  prompt: string;
  answer: string;
  expected: readonly string[];
  vars: Readonly<Record<string, unknown>>;
}) => CustomResult | Promise<CustomResult>;

export type CustomResult = number | boolean | { score: number | boolean; detail?: string };

const result = z.union([
  z.union([z.number(), z.boolean()]).transform((value) => ({ score: value, detail: undefined })),
  z.object({ score: z.union([z.number(), z.boolean()]), detail: z.string().optional() }),
]);

let knowsTypeScript = false;

/** Loads the module. Throws invalid_value where it can't be, or exports no such function. What the function throws is its result's detail. */
export async function customScorer(
  spec: Extract<ScorerSpec, { type: 'custom' }>,
  directory: string,
): Promise<Scorer> {
  const path = resolve(directory, spec.module);
  if (/\.m?ts$/.test(path) && !knowsTypeScript) {
    register('./typescript-loader.js', import.meta.url);
    knowsTypeScript = true;
  }
  const module = (await import(pathToFileURL(path).href).catch((error: Error) => {
    throw new SluiceError('invalid_value', `The scorer ${spec.module} can't be loaded: ${error.message}`);
  })) as Record<string, unknown>;
  const own = module[spec.export];
  if (typeof own !== 'function')
    throw new SluiceError('invalid_value', `The scorer ${spec.module} exports no function ${spec.export}.`);
  return async ({ subject, answer, signal }) => {
    const { expected, vars, question } = subject;
    try {
      const given = { prompt: textOf(question), answer, expected, vars };
      const said = result.parse(await within(spec.timeoutMs, signal, () => (own as CustomScorer)(given)));
      return score(said.score, said.detail ?? null);
    } catch (error) {
      signal.throwIfAborted();
      return unknownScore(`${spec.module}: ${(error as Error).message}`);
    }
  };
}

/** What keeps its thread can't be stopped: only what waits is timed. */
async function within<T>(timeoutMs: number, signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  const done = new AbortController();
  const tooLong = delay(timeoutMs, undefined, { signal: AbortSignal.any([signal, done.signal]) }).then(() => {
    throw new Error(`no result within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([Promise.resolve().then(work), tooLong]);
  } finally {
    done.abort();
  }
}
