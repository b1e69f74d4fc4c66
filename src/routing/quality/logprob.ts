import { logistic } from '../../support/logistic.js';
import { coefficients } from './calibration.js';
import { type AnswerSample, type QualityEstimator, worst } from './estimator.js';
import { repetition } from './repetition.js';

/** What is read off an answer's tokens. */
export interface Features {
  meanLogprob: number;
  leastLogprob: number; // of the most doubtful token
  repetition: number;
}

export interface Coefficients extends Features {
  intercept: number;
}

export function featuresOf({ text, logprobs }: AnswerSample): Features | null {
  if (logprobs.length === 0) return null;
  let sum = 0;
  let leastLogprob = 0;
  for (const logprob of logprobs) {
    sum += logprob;
    leastLogprob = Math.min(leastLogprob, logprob);
  }
  return { meanLogprob: sum / logprobs.length, leastLogprob, repetition: repetition(text) };
}

/** Logistic regression: the chance that an answer with these features is right. */
export function probability(features: Features, coefficients: Coefficients): number {
  const score =
    coefficients.intercept +
    coefficients.meanLogprob * features.meanLogprob +
    coefficients.leastLogprob * features.leastLogprob +
    coefficients.repetition * features.repetition;
  return logistic(score);
}

/** How sure the model was of what it said, as calibrated on the set of `sluice bench quality`. Null without log-probabilities. */
export const logprobEstimator: QualityEstimator = {
  wantsLogprobs: true,
  estimate: ({ choices }) => logprobQuality(choices),
};

export function logprobQuality(choices: readonly AnswerSample[]): number | null {
  if (choices.length === 0 || choices.some(({ logprobs }) => logprobs.length === 0)) return null;
  return worst(choices, (choice) => probability(featuresOf(choice)!, coefficients));
}
