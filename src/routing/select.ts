import { maxCostOf } from '../cost/prices.js';
import { SluiceError } from '../errors.js';
import { formatDollars } from '../support/money.js';
import type { Deployment } from './deployment.js';
import type { Needs } from './needs.js';

/** Tokens of an answer where the request sets no bound; for comparing prices and bounding cost before the fact. */
export const TYPICAL_ANSWER_TOKENS = 500;

/** What a request would cost at most, or typically where it sets no max_tokens. */
export function estimateNanodollars(deployment: Pick<Deployment, 'price'>, needs: Needs): number {
  const completionTokens = needs.maxTokens ?? TYPICAL_ANSWER_TOKENS * needs.choices;
  return maxCostOf(deployment.price, needs.promptTokens, completionTokens);
}

/** Why a model can't take a request; null where it can. */
export function unfitness(
  deployment: Pick<Deployment, 'id' | 'spec' | 'can' | 'contextTokens' | 'price'>,
  needs: Needs,
  maxNanodollars: number | null,
): SluiceError | null {
  const missing = needs.capabilities.find((capability) => !deployment.can(capability));
  if (missing !== undefined) {
    return new SluiceError('unsupported_parameter', `The model ${deployment.id} can't do ${missing}.`, {
      param: 'model',
    });
  }
  const isUpstream = deployment.spec.upstream !== undefined;
  if (isUpstream && needs.trims) {
    const message = `The model ${deployment.id} runs elsewhere, so its prompts can't be cut here.`;
    return new SluiceError('unsupported_parameter', message, { param: 'optimize_prompt' });
  }
  const { contextTokens } = deployment;
  // A model here counts exactly, and cuts where that is asked for: refuse nothing that might fit.
  const promptTokens = isUpstream ? needs.promptTokens : needs.trims ? 0 : needs.leastPromptTokens;
  if (contextTokens !== null && promptTokens > contextTokens) {
    return new SluiceError(
      'context_length_exceeded',
      `The model ${deployment.id} has a context of ${contextTokens} tokens, but the prompt has about ${promptTokens}.`,
      { param: needs.promptParam },
    );
  }
  const nanodollars = maxNanodollars === null ? 0 : estimateNanodollars(deployment, needs);
  if (nanodollars <= (maxNanodollars ?? 0)) return null;
  return new SluiceError(
    'max_cost_exceeded',
    `The model ${deployment.id} may cost ${formatDollars(nanodollars)} for this request, more than max_cost.`,
    { param: 'max_cost' },
  );
}

export function cheapestFirst(deployments: readonly Deployment[], needs: Needs): Deployment[] {
  return sortBy(deployments, (deployment) => estimateNanodollars(deployment, needs));
}

/**
 * By learned latency and queue. A model of which nothing is known goes first while nothing runs on it, so that it is
 * measured by one request at a time; else it goes last.
 */
export function fastestFirst(deployments: readonly Deployment[], nowMs: number): Deployment[] {
  return sortBy(
    deployments,
    (deployment) => deployment.expectedMs(nowMs) ?? (deployment.idle ? -1 : Number.POSITIVE_INFINITY),
  );
}

/** Ties keep their order. */
function sortBy(deployments: readonly Deployment[], key: (deployment: Deployment) => number): Deployment[] {
  return deployments
    .map((deployment) => ({ deployment, value: key(deployment) }))
    .sort((a, b) => (a.value === b.value ? 0 : a.value - b.value))
    .map(({ deployment }) => deployment);
}
