import type { Coefficients } from './logprob.js';

/** Fitted by `sluice bench quality --write`; docs/routing.md shows how well they do. */
export const coefficients: Coefficients = {
  intercept: 1.5,
  meanLogprob: 2,
  leastLogprob: 0.3,
  repetition: -3,
};
