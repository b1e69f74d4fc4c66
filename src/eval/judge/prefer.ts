import type { EvalTarget } from '../target/target.js';
import { askJudge } from './ask.js';
import { preferencePrompt } from './prompts.js';
import { preferenceSchema, readPreference, type Winner } from './verdict.js';

export type Preference = 'a' | 'b' | 'tie' | 'unreadable';

/**
 * Which of two answers a judge prefers, asked in both orders: who changes their mind with the order only prefers a place, and that
 * is a tie. Rejects as the endpoint does.
 */
export async function prefer(
  judge: EvalTarget,
  pair: { question: string; a: string; b: string; criteria: readonly string[] },
  signal: AbortSignal,
): Promise<Preference> {
  if (pair.a === pair.b) return 'tie';
  const ask = async (first: string, second: string) => {
    const prompt = preferencePrompt(pair.question, first, second, pair.criteria);
    return await askJudge(judge, { prompt, schema: preferenceSchema, read: readPreference }, signal);
  };
  const [forward, backward] = await Promise.all([ask(pair.a, pair.b), ask(pair.b, pair.a)]);
  if (forward === null || backward === null) return 'unreadable';
  return settled(forward.better, backward.better);
}

function settled(forward: Winner, backward: Winner): Preference {
  if (forward === 'first' && backward === 'second') return 'a';
  if (forward === 'second' && backward === 'first') return 'b';
  return 'tie';
}
