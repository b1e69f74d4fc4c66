import { type ErrorCode, errorTable, SluiceError, toSluiceError } from '../errors.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../gateway/types.js';
import { attempt, type Commitment } from './attempt.js';
import { backoffMs } from './backoff.js';
import { cancelledAnswer } from './cancelled.js';
import { climb } from './cascade.js';
import type { Deployment } from './deployment.js';
import { failureOf } from './failures.js';
import type { Fleet } from './fleet.js';
import type { Candidate, Plan } from './plan.js';
import { costDollars } from './price.js';
import type { RouteReport, RouteStep } from './report.js';
import { resolve } from './resolve.js';
import type { RouteTable } from './routes.js';

const BACKOFF = { baseMs: 100, maxMs: 2_000 };

/** An answer, who gave it, and what was tried before. */
export interface Placed {
  usage: Usage;
  candidate: Candidate;
  steps: RouteStep[];
}

export class Router {
  readonly fleet: Fleet;
  readonly routes: RouteTable;

  constructor(fleet: Fleet, routes: RouteTable) {
    this.fleet = fleet;
    this.routes = routes;
  }

  resolve(request: ValidatedRequest): Plan {
    return resolve(this.fleet, this.routes, request);
  }

  /** Answers by the plan. Rejects with what a single model failed with, or no_healthy_models and what was tried. */
  async answer(
    plan: Plan,
    request: ValidatedRequest,
    sink: GenerationSink,
    signal: AbortSignal,
  ): Promise<Usage> {
    if (plan.cascade !== null) return await climb(this, plan, request, sink, signal);
    const { usage, candidate, steps } = await this.place(plan, plan.candidates, request, sink, signal);
    if (plan.isDirect) return usage;
    return { ...usage, route: reportOf(plan, candidate, null, [...plan.passedOver, ...steps]) };
  }

  /**
   * The one loop of tries: each candidate in turn, again after a pause where that may help, until one has begun to answer.
   * What fails after that is the answer's end.
   */
  async place(
    plan: Plan,
    candidates: readonly Candidate[],
    request: ValidatedRequest,
    sink: GenerationSink,
    signal: AbortSignal,
  ): Promise<Placed> {
    const commitment: Commitment = { isMade: false };
    const steps: RouteStep[] = [];
    const errors: SluiceError[] = [];
    for (const candidate of candidates) {
      const { deployment } = candidate;
      for (let retry = 0; ; retry += 1) {
        if (signal.aborted) return cancelled(candidate, request, commitment, sink, steps);
        try {
          this.#assertAvailable(deployment);
          const usage = await attempt(this.fleet, commitment, { plan, candidate, request, sink, signal });
          steps.push(answered(deployment, usage));
          return { usage, candidate, steps };
        } catch (thrown) {
          const error = toSluiceError(thrown);
          if (signal.aborted && !commitment.isMade)
            return cancelled(candidate, request, commitment, sink, steps);
          const { next } = failureOf(error.code);
          if (commitment.isMade || next === 'give-up') throw thrown;
          const pauseMs = next === 'retry' ? this.#pauseMs(deployment, retry, error, request) : null;
          if (pauseMs !== null) {
            await pause(pauseMs, signal);
            continue;
          }
          // A canary whose breaker is open isn't asked any more, and must not be judged by the time before only.
          if (error.code === 'no_healthy_models') candidate.record?.(true, null);
          errors.push(error);
          steps.push({ model: deployment.id, outcome: error.code, costDollars: 0, quality: null });
          break;
        }
      }
    }
    throw overall(candidates, errors);
  }

  #assertAvailable(deployment: Deployment): void {
    const reason = deployment.unavailable(this.fleet.environment.now());
    if (reason === null) return;
    throw new SluiceError('no_healthy_models', `The model ${deployment.id} isn't available: ${reason}.`, {
      retryAfterSeconds: 1,
    });
  }

  /** Null: not again. */
  #pauseMs(
    deployment: Deployment,
    retry: number,
    error: SluiceError,
    { deadlineMs }: ValidatedRequest,
  ): number | null {
    const { now, random } = this.fleet.environment;
    if (retry >= (deployment.spec.upstream?.retries ?? 0)) return null;
    const retryAfterMs = error.retryAfterSeconds === null ? null : error.retryAfterSeconds * 1000;
    const pauseMs = backoffMs(retry, BACKOFF, random, retryAfterMs);
    return pauseMs !== null && now() + pauseMs < deadlineMs ? pauseMs : null;
  }
}

export function answered(deployment: Deployment, usage: Usage, quality: number | null = null): RouteStep {
  return {
    model: deployment.id,
    outcome: 'answered',
    costDollars: costDollars(deployment.price, usage),
    quality,
  };
}

export function reportOf(
  plan: Plan,
  { deployment, variant }: Candidate,
  quality: number | null,
  steps: RouteStep[],
): RouteReport {
  const dollars = steps.reduce((sum, step) => sum + step.costDollars, 0);
  return { name: plan.name, model: deployment.id, variant, costDollars: dollars, quality, steps };
}

function cancelled(
  candidate: Candidate,
  request: ValidatedRequest,
  commitment: Commitment,
  sink: GenerationSink,
  steps: RouteStep[],
): Placed {
  const usage = cancelledAnswer(candidate.deployment.id, request, sink);
  commitment.isMade = true;
  return { usage, candidate, steps };
}

/** One model's own error says most. Of several, an error of the request's own is better than a list. */
function overall(candidates: readonly Candidate[], errors: readonly SluiceError[]): SluiceError {
  const [first] = errors;
  const isOwnFault = ({ code }: SluiceError) => errorTable[code].status === 400;
  if (first && (errors.length === 1 || errors.every(isOwnFault))) return first;
  const tried = errors.map((error, index) => `${candidates[index]!.deployment.id} (${describe(error)})`);
  const waits = errors.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  return new SluiceError('no_healthy_models', `No model could answer. Tried: ${tried.join(', ')}.`, {
    retryAfterSeconds: waits.length > 0 ? Math.min(...waits) : null,
  });
}

function describe({ code, message }: SluiceError): ErrorCode | string {
  return code === 'no_healthy_models' ? message.replace(/^.*available: (.*)\.$/, '$1') : code;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
