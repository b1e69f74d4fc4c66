import type { GenerationEvent, Usage, ValidatedRequest } from './types.js';

/** Looks at requests as they pass, and takes no part in them. Must not throw, and not take long: the answer is under way. */
export interface GenerationObserver {
  /** Null: this one doesn't matter. */
  observe(request: ValidatedRequest): AnswerObserver | null;
}

export interface AnswerObserver {
  event(event: GenerationEvent): void;
  /** The answer is complete; nothing is called for one that fails. */
  finished(usage: Usage): void;
}
