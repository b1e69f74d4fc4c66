import type { AskModel } from '../types.js';

const GRAMMAR = 'root ::= "yes" | "no"';
const MAX_TOKENS = 4;

const TASK =
  'You compare two questions. Say yes if a full answer to the first is also the exact answer to the second, and no if anything that is asked differs.';

/** Whether a model takes two questions for the same. */
export async function asksTheSame(
  ask: AskModel,
  model: string,
  [first, second]: readonly [string, string],
  signal: AbortSignal,
): Promise<boolean> {
  const content = `${TASK}\n\nFirst: ${JSON.stringify(first)}\nSecond: ${JSON.stringify(second)}\n\nyes or no?`;
  const messages = [{ role: 'user', content }];
  const said = await ask(model, { messages, grammar: GRAMMAR, maxTokens: MAX_TOKENS }, signal);
  return /^\W*yes\b/i.test(said);
}
