import { toSluiceError } from '../errors.js';
import type { RouteStep } from '../generation/report.js';
import type { Usage } from '../generation/types.js';
import { failureOf } from './failures.js';
import { HeldAnswer } from './held-answer.js';
import { nextRung } from './ladder.js';
import type { Candidate } from './plan.js';
import type { QualityEstimator } from './quality/estimator.js';
import { createEstimator } from './quality/index.js';
import { judgeModel } from './quality/judge-model.js';
import { type Errand, type Placed, type Router, reportOf } from './router.js';
import { estimateNanodollars } from './select.js';

interface Climb {
  router: Router;
  errand: Errand;
  estimator: QualityEstimator;
  steps: RouteStep[];
}

/** What one model gave. */
interface Landing {
  candidate: Candidate;
  usage: Usage;
  answer: HeldAnswer;
  quality: number | null;
}

/**
 * Cheapest to best, until an answer is estimated to be good enough. An answer is held back while a better one may follow;
 * the last affordable model's goes out as it comes. Where a later model fails, the answer before it has to do.
 */
export async function climb(router: Router, errand: Errand): Promise<Usage> {
  const { plan, request, tab, signal } = errand;
  const cascade = plan.cascade!;
  const estimator = createEstimator(cascade, (model) => judgeModel(router, model, errand));
  const threshold = request.routing.qualityThreshold ?? cascade.threshold;
  const climbing: Climb = { router, errand, estimator, steps: [...plan.passedOver] };
  const estimates = plan.candidates.map(({ deployment }) => estimateNanodollars(deployment, plan.needs));
  let landing: Landing | null = null;
  let failure: unknown = null;
  for (let from = 0; ; ) {
    const rung = nextRung(estimates, from, tab.nanodollars, request.routing.maxNanodollars);
    if (rung === null) break;
    from = rung.index + 1;
    for (const index of rung.tooDear) climbing.steps.push(tooDear(plan.candidates[index]!));
    const spentBefore = tab.nanodollars;
    try {
      landing = await step(climbing, plan.candidates[rung.index]!, rung.isLast);
    } catch (thrown) {
      const error = toSluiceError(thrown);
      failure = thrown;
      climbing.steps.push({
        model: plan.candidates[rung.index]!.deployment.id,
        outcome: error.code,
        nanodollars: tab.nanodollars - spentBefore,
        quality: null,
      });
      if (thrown instanceof BrokenOff) throw thrown.cause;
      if (failureOf(error.code).next === 'give-up') break;
      continue;
    }
    if (landing.answer.isOut || signal.aborted || (landing.quality ?? 0) >= threshold) break;
    climbing.steps.at(-1)!.outcome = 'below_threshold';
  }
  if (landing === null) throw failure;
  if (!landing.answer.isOut) landing.answer.giveOut();
  const { candidate, usage, quality } = landing;
  return { ...usage, route: reportOf(plan, candidate, quality, tab, climbing.steps) };
}

/** The answer had begun to go out: nothing can follow it. */
class BrokenOff extends Error {}

async function step(climbing: Climb, candidate: Candidate, isLast: boolean): Promise<Landing> {
  const { router, errand, estimator, steps } = climbing;
  const { request, tab, sink, signal } = errand;
  const addsLogprobs =
    estimator.wantsLogprobs && request.sampling.topLogprobs < 0 && candidate.deployment.can('logprobs');
  const asked = addsLogprobs ? { ...request, sampling: { ...request.sampling, topLogprobs: 0 } } : request;
  const spentBefore = tab.nanodollars;
  const { maxAnswerBytes } = router.fleet.environment.settings;
  let began = false;
  const answer = new HeldAnswer(
    (event) => {
      began ||= event.type !== 'queued';
      sink(event);
    },
    { maxBytes: maxAnswerBytes, isOut: isLast, withoutLogprobs: addsLogprobs },
  );
  let placed: Placed;
  try {
    placed = await router.place({ ...errand, request: asked, sink: answer.sink }, [candidate]);
  } catch (thrown) {
    if (began) throw new BrokenOff('', { cause: thrown });
    throw thrown;
  }
  const { usage } = placed;
  const quality = signal.aborted
    ? null
    : await estimator.estimate({ request, choices: answer.choices }, signal);
  const nanodollars = tab.nanodollars - spentBefore; // the judge's too
  steps.push({ model: candidate.deployment.id, outcome: 'answered', nanodollars, quality });
  return { candidate, usage, answer, quality };
}

function tooDear({ deployment }: Candidate): RouteStep {
  return { model: deployment.id, outcome: 'too_dear', nanodollars: 0, quality: null };
}
