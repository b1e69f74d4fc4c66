import { type QualityEstimator, worst } from './estimator.js';
import { logprobQuality } from './logprob.js';
import { ruleQuality } from './rules.js';

/** Rules, and where there are log-probabilities the model's sureness: an answer is as good as its weaker side. */
export const combinedEstimator: QualityEstimator = {
  wantsLogprobs: true,
  estimate: ({ request, choices }) => {
    const byRules = worst(choices, (choice) => ruleQuality(choice, request));
    return Math.min(byRules, logprobQuality(choices) ?? 1);
  },
};
