import type { Coefficients } from './logprob.js';

/** Written by `sluice bench quality --write`; docs/routing.md says how well they do. */
export const coefficients: Coefficients = {
  intercept: 1.11,
  meanLogprob: 2.087,
  leastLogprob: 0.7336,
  repetition: -6,
};
