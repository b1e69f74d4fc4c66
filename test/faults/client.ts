import { setTimeout as delay } from 'node:timers/promises';
import { type Seen, streamCompletion } from '../support/stream-client.js';
import type { Due } from './books.js';
import type { Scene } from './fault.js';
import { noTally, type Tally } from './tally.js';

/** A completion whose answer is known: the scripted engine repeats the prompt's last line. */
export interface Question {
  prompt: string;
  line: string; // the last
  readPauseMs: number; // in the middle of the answer
}

/** What a client saw at last, and how often it asked again because its gateway had died. */
export interface Outcome {
  seen: Seen;
  askedAgain: number;
}

export const ANSWER_TOKENS = 40;
/** Refusals that leave a request to its client. Any other is of one that was accepted. */
const NOT_ACCEPTED: ReadonlySet<string> = new Set(['store_unavailable', 'no_healthy_models', 'queue_full']);
const RETRY_MS = 100;

/** Asks any gateway until one answers. An answer that breaks off or fails is final, unless its gateway has died. */
export async function insistently(
  { world, random }: Scene,
  { prompt, readPauseMs }: Question,
  patienceMs: number,
): Promise<Outcome> {
  const signal = AbortSignal.timeout(patienceMs);
  for (let askedAgain = 0; ; ) {
    const gateway = random.pick(world.gateways);
    const body = { prompt, max_tokens: ANSWER_TOKENS };
    const seen = await streamCompletion(gateway.port, body, { signal, key: gateway.key, readPauseMs });
    const isGatewayDead = !world.gateways.includes(gateway);
    const isNotAccepted = seen.end === 'refused' && NOT_ACCEPTED.has(seen.code);
    if (!(isGatewayDead || isNotAccepted) || seen.end === 'complete' || signal.aborted)
      return { seen, askedAgain };
    if (isGatewayDead) askedAgain += 1;
    await delay(RETRY_MS);
  }
}

export function tallyOf({ seen, askedAgain }: Outcome, { line }: Question): Tally {
  const tally = { ...noTally, requests: 1, askedAgain };
  if (seen.end !== 'complete') {
    const isSecondEnd = seen.end === 'broken' && seen.reason === '2 ends';
    return isSecondEnd ? { ...tally, answeredTwice: 1 } : { ...tally, lost: 1 };
  }
  const expected = line.repeat(ANSWER_TOKENS).slice(0, ANSWER_TOKENS);
  const isWhole = seen.text === expected && seen.completionTokens === ANSWER_TOKENS;
  return isWhole ? tally : { ...tally, gapsOrRepeats: 1 };
}

/** What it has to pay: for what it saw, and perhaps for what a dead gateway didn't pass on any more. */
export function dueOf({ seen, askedAgain }: Outcome, { prompt }: Question): Due {
  const tokens = 1 + Buffer.byteLength(prompt) + ANSWER_TOKENS; // one begins every prompt
  const isComplete = seen.end === 'complete';
  const unseen = askedAgain + (isComplete ? 0 : 1);
  return {
    answers: isComplete ? 1 : 0,
    tokens: isComplete ? tokens : 0,
    unseenAnswers: unseen,
    unseenTokens: unseen * tokens,
  };
}
