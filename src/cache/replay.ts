import type { CacheReport, RouteChoice, Usage } from '../generation/types.js';
import type { Plan } from '../routing/plan.js';
import type { Errand } from '../routing/router.js';
import { withFields } from '../support/with-fields.js';
import type { AnswerFacts, CacheEntry } from './types.js';

/** Gives an answer out again, as its stream. */
export function replay(
  { answer, model }: CacheEntry,
  report: CacheReport,
  { plan, tab, sink }: Errand,
): Usage {
  for (const event of answer.events) {
    if (event.type !== 'start') sink(event);
    else {
      const vocab = vocabOf(plan, model);
      const own = { vocab, route: routeOf(plan, model), quota: tab.quota(), cache: report };
      sink(withFields(event, own));
    }
  }
  return cachedUsage(plan, model, answer.facts, report);
}

/** Whether the answer can be shown: its tokens may need the vocabulary of a model that is loaded. */
export function canReplay({ answer, model }: CacheEntry, plan: Plan): boolean {
  return !answer.needsVocab || vocabOf(plan, model) !== null;
}

/** What a start event says of how its model was chosen. */
export function routeOf(plan: Plan, model: string): RouteChoice | null {
  if (plan.isDirect) return null;
  return { name: plan.name, variant: candidateOf(plan, model)?.variant ?? null };
}

export function factsOf({ promptTokens, completionTokens, isEstimated, route }: Usage): AnswerFacts {
  return {
    promptTokens,
    completionTokens,
    isEstimated: isEstimated ?? false,
    quality: route?.quality ?? null,
  };
}

/** Of an answer that wasn't computed for its request: all of the prompt is cached, and nothing is paid. */
export function cachedUsage(plan: Plan, model: string, facts: AnswerFacts, report: CacheReport): Usage {
  const { promptTokens, completionTokens, isEstimated, quality } = facts;
  const route = routeOf(plan, model);
  const step = { model, outcome: 'cached', nanodollars: 0, quality };
  return {
    promptTokens,
    completionTokens,
    cachedTokens: promptTokens,
    nanodollars: null,
    cache: report,
    ...(isEstimated ? { isEstimated } : {}),
    ...(route ? { route: { ...route, model, nanodollars: 0, quality, steps: [step] } } : {}),
  };
}

function vocabOf(plan: Plan, model: string) {
  return candidateOf(plan, model)?.deployment.target?.vocab ?? null;
}

function candidateOf(plan: Plan, model: string) {
  return plan.candidates.find(({ deployment }) => deployment.id === model);
}
