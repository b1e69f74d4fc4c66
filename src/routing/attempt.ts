import type { Charge, Tab, TokenBound } from '../cost/tab.js';
import { SluiceError, toSluiceError } from '../errors.js';
import type { GenerationEvent, GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import { answerAttributes, operationOf, requestAttributes } from '../telemetry/genai-attributes.js';
import type { Trace } from '../telemetry/trace.js';
import { boundedFor, boundOf } from './bound.js';
import type { Deployment } from './deployment.js';
import { failureOf } from './failures.js';
import type { Fleet } from './fleet.js';
import type { Candidate, Plan } from './plan.js';
import type { Target } from './target.js';
import type { UsageMeter } from './usage-meter.js';

export interface Attempt {
  plan: Plan;
  candidate: Candidate;
  request: ValidatedRequest;
  tab: Tab;
  charge: Charge; // this try's, on the tab
  meter: UsageMeter; // of this try
  sink: GenerationSink;
  signal: AbortSignal;
  trace: Trace;
}

/** True once something of an answer has gone out, after which no other try may begin. */
export interface Commitment {
  isMade: boolean;
}

/**
 * One try of one model: what it may cost, its queue, its breaker, a target to use, and what is learned from how it went. Nothing reaches the
 * sink before the answer's first piece, so that a try which fails before leaves no trace.
 */
export async function attempt(fleet: Fleet, commitment: Commitment, what: Attempt): Promise<Usage> {
  const { candidate, charge, signal, sink, trace } = what;
  const { deployment } = candidate;
  const request = boundedFor(deployment, what.request, fleet.environment.defaultMaxTokens);
  const reserving = charge.reserve(boundOf(deployment, request));
  if (reserving) await reserving;
  if (!deployment.queue.tryEnter(request.tenant))
    await trace.stage('queue', () => waitInLine(deployment, request, sink, signal));
  try {
    return await tried(fleet, commitment, what, request);
  } finally {
    deployment.queue.leave(request.tenant);
  }
}

function waitInLine(
  { queue }: Deployment,
  { id, tenant, priority, deadlineMs }: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
): Promise<void> {
  const onWait = (position: number, estimateMs: number) => sink({ type: 'queued', position, estimateMs });
  return queue.enter({ id, tenant, priority, deadlineMs, signal, onWait });
}

interface Asking {
  request: ValidatedRequest; // bounded
  commitment: Commitment;
  onFirst: () => void;
  stage: Trace;
}

async function tried(
  fleet: Fleet,
  commitment: Commitment,
  what: Attempt,
  request: ValidatedRequest,
): Promise<Usage> {
  const { candidate, trace } = what;
  const { deployment } = candidate;
  const { now } = fleet.environment;
  const permit = deployment.breaker.acquire(now());
  if (!permit) throw new SluiceError('no_healthy_models', `The model ${deployment.id} isn't available now.`);
  const startedMs = now();
  let firstTokenMs: number | null = null;
  const onFirst = () => {
    firstTokenMs = now() - startedMs;
  };
  try {
    const lease = deployment.lease() ?? (await fleet.lease(deployment));
    try {
      const usage = await trace.stage(
        `${operationOf(request)} ${deployment.id}`,
        (stage) => asked(lease.target, what, { request, commitment, onFirst, stage }),
        lease.target.kind === 'upstream' ? 'client' : 'internal',
      );
      const counts = !what.signal.aborted;
      deployment.breaker.report(permit, counts ? 'success' : 'neutral', now());
      if (firstTokenMs !== null) deployment.latency.add(firstTokenMs, now());
      if (counts) candidate.record?.(false, firstTokenMs);
      return usage;
    } finally {
      lease.release();
    }
  } catch (thrown) {
    const error = toSluiceError(thrown);
    const { outcome } = failureOf(error.code);
    deployment.breaker.report(permit, outcome, now());
    if (outcome === 'failure') candidate.record?.(true, firstTokenMs);
    if (error.code === 'upstream_overloaded' && error.retryAfterSeconds !== null)
      deployment.pausedUntilMs = now() + error.retryAfterSeconds * 1000;
    throw thrown;
  }
}

/** The model's own part of a try. */
async function asked(
  target: Target,
  what: Attempt,
  { request, commitment, onFirst, stage }: Asking,
): Promise<Usage> {
  const { candidate, charge, meter, signal } = what;
  const { id, spec } = candidate.deployment;
  stage.describe(() => requestAttributes(request, id, spec));
  const held = heldBack(what, commitment, () => {
    onFirst();
    stage.part('decode');
  });
  const onCounted = (bound: TokenBound) => charge.reserve(bound);
  const usage = await target.answer(request, meter.observe(held), signal, onCounted, stage);
  stage.describe(() => answerAttributes(id, usage, meter.finishReasons));
  return usage;
}

/** Keeps `start` and `prompt` until there is something of the answer. */
function heldBack(
  { plan, candidate, tab, sink }: Attempt,
  commitment: Commitment,
  onFirst: () => void,
): GenerationSink {
  const route = plan.isDirect ? null : { name: plan.name, variant: candidate.variant };
  const held: GenerationEvent[] = [];
  let isHolding = true;
  return (event) => {
    if (!isHolding) return sink(event);
    if (event.type === 'start' || event.type === 'prompt') {
      held.push(event.type === 'start' ? { ...event, route, quota: tab.quota() } : event);
      return;
    }
    isHolding = false;
    commitment.isMade = true;
    onFirst();
    for (const earlier of held) sink(earlier);
    sink(event);
  };
}
