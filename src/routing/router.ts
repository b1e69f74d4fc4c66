import type { Tab } from '../cost/tab.js';
import { type ErrorCode, errorTable, SluiceError, toSluiceError } from '../errors.js';
import type { RouteReport, RouteStep } from '../generation/report.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import { steadyNowMs } from '../support/steady-clock.js';
import { withFields } from '../support/with-fields.js';
import type { Trace } from '../telemetry/trace.js';
import { attempt, type Commitment } from './attempt.js';
import { backoffMs } from './backoff.js';
import { cancelledAnswer } from './cancelled.js';
import { climb } from './cascade.js';
import type { Deployment } from './deployment.js';
import { failureOf } from './failures.js';
import type { Fleet } from './fleet.js';
import type { Candidate, Plan } from './plan.js';
import { nameOf, resolve } from './resolve.js';
import type { RouteTable } from './routes.js';
import { UsageMeter } from './usage-meter.js';

const BACKOFF = { baseMs: 100, maxMs: 2_000 };

/** A request, what its name stands for, and what it costs. */
export interface Errand {
  plan: Plan;
  request: ValidatedRequest;
  tab: Tab;
  sink: GenerationSink;
  signal: AbortSignal;
  trace: Trace;
}

/** An answer, who gave it, and what was tried before. */
export interface Placed {
  usage: Usage;
  candidate: Candidate;
  steps: RouteStep[]; // the last is the answer's
}

export class Router {
  readonly fleet: Fleet;
  readonly routes: RouteTable;

  constructor(fleet: Fleet, routes: RouteTable) {
    this.fleet = fleet;
    this.routes = routes;
  }

  /** What the request asks for, or what is meant where it names nothing. */
  nameOf(request: ValidatedRequest): string {
    return nameOf(this.fleet, request);
  }

  resolve(request: ValidatedRequest): Plan {
    return resolve(this.fleet, this.routes, request);
  }

  /** Answers by the plan. Rejects with what a single model failed with, or no_healthy_models and what was tried. */
  async answer(errand: Errand): Promise<Usage> {
    const { plan, tab } = errand;
    if (plan.cascade !== null) return await climb(this, errand);
    const { usage, candidate, steps } = await this.place(errand, plan.candidates);
    if (plan.isDirect) return usage;
    const route = reportOf(plan, candidate, null, tab, [...plan.passedOver, ...steps]);
    return withFields(usage, { route });
  }

  /**
   * The one loop of tries: each candidate in turn, again after a pause where that may help, until one has begun to answer.
   * What fails after that is the answer's end. Every try is on the tab, with what it really took.
   */
  async place(errand: Errand, candidates: readonly Candidate[]): Promise<Placed> {
    const { plan, request, tab, sink, signal } = errand;
    const commitment: Commitment = { isMade: false };
    const steps: RouteStep[] = [];
    const errors: SluiceError[] = [];
    for (const candidate of candidates) {
      const { deployment } = candidate;
      let nanodollars = 0; // of all tries of this model
      for (let retry = 0; ; retry += 1) {
        if (signal.aborted) return cancelled(candidate, request, commitment, sink, steps);
        const charge = tab.open(deployment.id, deployment.price);
        const meter = new UsageMeter(deployment.spec.upstream ? plan.needs.promptTokens : 0);
        try {
          this.#assertAvailable(deployment);
          const usage = await attempt(this.fleet, commitment, { candidate, charge, meter, ...errand });
          nanodollars += charge.settle(usage);
          steps.push({ model: deployment.id, outcome: 'answered', nanodollars, quality: null });
          return { usage, candidate, steps };
        } catch (thrown) {
          nanodollars += charge.settle(meter.counts);
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
          steps.push({ model: deployment.id, outcome: error.code, nanodollars, quality: null });
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
    const { random } = this.fleet.environment;
    if (retry >= (deployment.spec.upstream?.retries ?? 0)) return null;
    const retryAfterMs = error.retryAfterSeconds === null ? null : error.retryAfterSeconds * 1000;
    const pauseMs = backoffMs(retry, BACKOFF, random, retryAfterMs);
    return pauseMs !== null && steadyNowMs() + pauseMs < deadlineMs ? pauseMs : null;
  }
}

export function reportOf(
  plan: Plan,
  { deployment, variant }: Candidate,
  quality: number | null,
  { nanodollars }: Tab,
  steps: RouteStep[],
): RouteReport {
  return { name: plan.name, model: deployment.id, variant, nanodollars, quality, steps };
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
  const isOwnFault = ({ code }: SluiceError) => [400, 402].includes(errorTable[code].status);
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
