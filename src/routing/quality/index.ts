import type { RouteSpec } from '../../config/index.js';
import { combinedEstimator } from './combined.js';
import type { QualityEstimator } from './estimator.js';
import { type Judge, judgeEstimator } from './judge.js';
import { logprobEstimator } from './logprob.js';
import { ruleEstimator } from './rules.js';

type Cascade = NonNullable<RouteSpec['cascade']>;

/** The estimator that a route asks for. */
export function createEstimator(cascade: Cascade, judgeBy: (model: string) => Judge): QualityEstimator {
  switch (cascade.estimator) {
    case 'combined':
      return combinedEstimator;
    case 'logprob':
      return logprobEstimator;
    case 'rules':
      return ruleEstimator;
    case 'judge':
      return judgeEstimator(judgeBy(cascade.judge!));
  }
}
