import type { GuardMode, GuardStage, GuardUse, TextOrigin } from '../config/index.js';
import type { ChatMessage } from '../generation/types.js';
import type { Finding } from './finding.js';

/** A text of a request or an answer, and whose it is. */
export interface GuardText {
  text: string;
  origin: TextOrigin;
}

/** What becomes of a finding; `unsure`: a guard that takes longer has to look. */
export type HitMode = GuardMode | 'unsure';

/** A finding, in which text, by which guard, and what is to happen. */
export interface Hit extends Finding {
  text: number; // index
  guard: string;
  mode: HitMode;
}

/** Probabilities of an answer's tokens. */
export interface Confidence {
  mean: number;
  min: number;
}

/** What guards may know of a request beside its texts. */
export interface GuardContext {
  requestId: string;
  tenant: string;
  stage: GuardStage;
  canary?: string; // hidden in the system prompt
  sources?: readonly string[]; // of output: what the answer may rest on
  question?: readonly ChatMessage[]; // of output: what was answered
  confidence?: Confidence | null; // of an answer: its tokens' probabilities; null: not known
}

/** Asks a model that the operator names, at the expense of the request that is checked. Resolves with what it says. */
export type Ask = (
  model: string,
  question: {
    messages: ChatMessage[];
    grammar: string | null;
    maxTokens: number;
    sampling?: { temperature: number; seed: number }; // absent: the most likely answer
  },
  signal: AbortSignal,
) => Promise<string>;

/**
 * Within a check the cheap come first, and what blocks stops the rest: `inline` is a matter of the request's own thread, `scan`
 * runs in the workers that all share, `custom` in workers of its own, `embedding` in the encoder's thread, `probe` in one that has
 * a language model, `network` and `model` wait for somebody else.
 */
export const costClasses = ['inline', 'scan', 'custom', 'embedding', 'probe', 'network', 'model'] as const;
export type CostClass = (typeof costClasses)[number];

/** How much of an answer a guard has to see before it can say something. */
export type StreamUnit = 'span' | 'sentence' | 'answer';

/** An answer is the model's whole, so all of it is. */
export function isLookedAt({ origin }: GuardText, { origins }: GuardUse, stage: GuardStage): boolean {
  return stage === 'output' || (origins?.includes(origin) ?? true);
}
