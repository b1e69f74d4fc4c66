import type { GuardMode, GuardStage, TextOrigin } from '../config/index.js';
import type { Finding } from './finding.js';

/** A text of a request or an answer, and whose it is. */
export interface GuardText {
  text: string;
  origin: TextOrigin;
}

/** A finding, in which text, by which guard, and what is to happen. */
export interface Hit extends Finding {
  text: number; // index
  guard: string;
  mode: GuardMode;
}

/** What guards may know of a request beside its texts. */
export interface GuardContext {
  requestId: string;
  tenant: string;
  stage: GuardStage;
  canary?: string; // hidden in the system prompt
  sources?: readonly string[]; // of output: what the answer may rest on
}

/**
 * Within a check the cheap come first, and what blocks stops the rest: `inline` is a matter of the request's own thread, `scan`
 * runs in the workers that all share, `custom` in workers of its own, `network` and `model` wait for somebody else.
 */
export const costClasses = ['inline', 'scan', 'custom', 'network', 'model'] as const;
export type CostClass = (typeof costClasses)[number];

/** How much of an answer a guard has to see before it can say something. */
export type StreamUnit = 'span' | 'sentence' | 'answer';
