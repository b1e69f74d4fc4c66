import { medianOf } from '../../support/median.js';
import type { EvalTarget } from '../target/target.js';
import { askJudge } from './ask.js';
import { ratingPrompt } from './prompts.js';
import { ratingSchema, readRating } from './verdict.js';

export interface Judged {
  question: string;
  answer: string;
  expected: string | null;
  criteria: readonly string[];
}

export interface PanelRating {
  value: number | null; // median over the judges, each the mean of its criteria; null: none could be read
  detail: string;
}

/** Asks every judge. One that can't be reached or read is left out and named; it takes nothing from the others. */
export async function rate(
  judges: readonly EvalTarget[],
  judged: Judged,
  signal: AbortSignal,
): Promise<PanelRating> {
  const { question, answer, expected, criteria } = judged;
  const prompt = ratingPrompt(question, answer, expected, criteria);
  const schema = ratingSchema(criteria.length);
  const opinions = await Promise.all(
    judges.map(async (judge) => {
      try {
        const read = (text: string) => readRating(text, criteria.length);
        const rating = await askJudge(judge, { prompt, schema, read }, signal);
        if (rating === null) return { value: null, detail: `${judge.model}: no readable verdict` };
        const value = rating.values.reduce((sum, each) => sum + each, 0) / rating.values.length;
        return { value, detail: `${judge.model} ${value.toFixed(2)}: ${rating.reasoning}` };
      } catch (error) {
        signal.throwIfAborted();
        return { value: null, detail: `${judge.model}: ${(error as Error).message}` };
      }
    }),
  );
  return {
    value: medianOf(opinions.flatMap(({ value }) => value ?? [])),
    detail: opinions.map(({ detail }) => detail).join('\n'),
  };
}
