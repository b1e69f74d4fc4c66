import type { EvalTarget } from '../target/target.js';
import { VERDICT_TOKENS } from './verdict.js';

const TRIES = 2;

/**
 * A judge's verdict, held to the schema where its server can do that. What can't be read is asked for once more with another
 * seed; null where that can't be read either. Rejects as the endpoint does.
 */
export async function askJudge<Verdict>(
  judge: EvalTarget,
  ask: { prompt: string; schema: object; read: (text: string) => Verdict | null },
  signal: AbortSignal,
): Promise<Verdict | null> {
  for (let seed = 0; seed < TRIES; seed += 1) {
    const response_format = {
      type: 'json_schema',
      json_schema: { name: 'verdict', strict: true, schema: ask.schema },
    };
    const params = { temperature: 0, max_tokens: VERDICT_TOKENS, seed, response_format };
    const question = { mode: 'chat' as const, messages: [{ role: 'user' as const, content: ask.prompt }] };
    const verdict = ask.read((await judge.answer(question, params, signal)).text);
    if (verdict !== null) return verdict;
  }
  return null;
}
