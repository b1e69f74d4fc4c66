import type { FinishReason, ValidatedRequest } from '../../generation/types.js';

/** One choice of an answer, as far as its quality can be told from it. */
export interface AnswerSample {
  text: string;
  logprobs: number[]; // of its tokens; empty where the model gave none
  hasToolCalls: boolean;
  finishReason: FinishReason;
}

export interface Subject {
  request: ValidatedRequest;
  choices: readonly AnswerSample[];
}

/** Says how good an answer is likely to be. Never throws: an answer must not be lost because it couldn't be judged. */
export interface QualityEstimator {
  readonly wantsLogprobs: boolean;
  /** 0 to 1: chance that the answer is good; null: it can't be told. */
  estimate(subject: Subject, signal: AbortSignal): number | null | Promise<number | null>;
}

/** Of several choices the worst counts. */
export function worst(choices: readonly AnswerSample[], quality: (choice: AnswerSample) => number): number {
  return choices.reduce((least, choice) => Math.min(least, quality(choice)), 1);
}
