import { type Caller, mayUse, modelAccessDenied, refuseModel } from '../auth/caller.js';
import { SluiceError } from '../errors.js';
import type { RouteStep } from '../generation/report.js';
import type { ValidatedRequest } from '../generation/types.js';
import type { Deployment } from './deployment.js';
import type { Fleet } from './fleet.js';
import { type Needs, needsOf } from './needs.js';
import type { Candidate, Plan } from './plan.js';
import type { Route, RouteTable } from './routes.js';
import { cheapestFirst, fastestFirst, unfitness } from './select.js';
import { rankByKey } from './split.js';

/** What a request asks for: a model, alias or route; that of requests that name none, where it does. Empty where there are no models. */
export function nameOf(fleet: Fleet, { model }: ValidatedRequest): string {
  return model ?? (fleet.environment.settings.default || (fleet.first()?.id ?? ''));
}

/**
 * What a request's model name stands for: a model or alias, or a route. Throws model_not_found for an unknown name,
 * model_access_denied where the caller may use nothing of it, and where nobody can take the request the reason: unsupported_parameter, context_length_exceeded or max_cost_exceeded.
 */
export function resolve(fleet: Fleet, routes: RouteTable, request: ValidatedRequest): Plan {
  const { caller } = request;
  const needs = needsOf(request);
  const name = nameOf(fleet, request);
  const direct = fleet.find(name);
  const route = direct ? null : routes.find(name);
  if (!direct && !route) throw unknownModel(fleet, routes, caller, name, 'model');
  const first = route ? routed(fleet, route, request, needs) : [plainly(direct!)];
  const behind = [...first, ...named(fleet, route?.spec.fallbacks ?? [])];
  const candidates = withoutRepeats([
    ...allowed(behind, caller, name),
    ...request.routing.fallbacks.map((fallback, index) => {
      const deployment = fleet.find(fallback);
      if (!deployment) throw unknownModel(fleet, routes, caller, fallback, `fallbacks.${index}`);
      refuseModel(caller, fallback, deployment.id, `fallbacks.${index}`);
      return plainly(deployment);
    }),
  ]);
  const isDirect = route === null && candidates.length === 1;
  return {
    name,
    isDirect,
    ...fitting(candidates, needs, request.routing.maxNanodollars),
    cascade: route?.spec.strategy === 'cascade' ? (route.spec.cascade ?? defaultCascade) : null,
    needs,
  };
}

const defaultCascade = { threshold: 0.7, estimator: 'combined' } as const;

function routed(fleet: Fleet, route: Route, request: ValidatedRequest, needs: Needs): Candidate[] {
  const { spec } = route;
  const key = stickyKey(spec.name, request);
  const members =
    spec.models.length > 0
      ? named(
          fleet,
          spec.models.map(({ model }) => model),
        )
      : everyone(fleet);
  const deployments = members.map(({ deployment }) => deployment);
  switch (spec.strategy) {
    case 'order':
      return members;
    case 'cheapest':
    case 'cascade':
      return cheapestFirst(deployments, needs).map(plainly);
    case 'fastest':
      return fastestFirst(deployments, fleet.environment.now()).map(plainly);
    case 'weighted': {
      const weighted = spec.models.map(({ model, weight }) => ({ name: model, weight }));
      const pool = weighted.length > 0 ? weighted : deployments.map(({ id }) => ({ name: id, weight: 1 }));
      return rankByKey(pool, key).flatMap((member) => {
        const deployment = fleet.find(member.name);
        return deployment ? [{ deployment, variant: member.name, record: null }] : [];
      });
    }
    case 'canary':
      return canaryCandidates(fleet, route, key);
  }
}

/** Whom the canary fails is served by the stable model; the other way round it would lend the canary more traffic. */
function canaryCandidates(fleet: Fleet, { spec, canary }: Route, key: string): Candidate[] {
  const candidate = (name: string, variant: 'stable' | 'canary'): Candidate[] => {
    const deployment = fleet.find(name);
    if (!deployment) return [];
    const record: Candidate['record'] = (failed, firstTokenMs) =>
      canary!.record(variant, failed, firstTokenMs, fleet.environment.now());
    return [{ deployment, variant, record }];
  };
  const stable = candidate(spec.models[0]!.model, 'stable');
  return canary!.variantOf(key) === 'canary'
    ? [...candidate(spec.canary!.model, 'canary'), ...stable]
    : stable;
}

/** A user, or else a session, stays with its variant; without either each request is on its own. */
function stickyKey(route: string, { tenant, user, sessionId, id }: ValidatedRequest): string {
  return `${route}\n${tenant}\n${user ?? sessionId ?? id}`;
}

function plainly(deployment: Deployment): Candidate {
  return { deployment, variant: null, record: null };
}

function everyone(fleet: Fleet): Candidate[] {
  return fleet.list().map(plainly);
}

/** Those of the names that are served now. */
function named(fleet: Fleet, names: readonly string[]): Candidate[] {
  return names.flatMap((name) => fleet.find(name) ?? []).map(plainly);
}

/**
 * Those that the caller may use: all behind a name that it may use, which is why keys can be given an alias or a route alone;
 * else those that it may use by their own. Throws model_access_denied where there are none.
 */
function allowed(candidates: Candidate[], caller: Caller, name: string): Candidate[] {
  if (candidates.length === 0 || mayUse(caller, name)) return candidates;
  const own = candidates.filter(({ deployment }) => mayUse(caller, deployment.id));
  if (own.length === 0) throw modelAccessDenied(name, 'model');
  return own;
}

function withoutRepeats(candidates: readonly Candidate[]): Candidate[] {
  if (candidates.length < 2) return [...candidates];
  const seen = new Set<Deployment>();
  return candidates.filter(({ deployment }) => !seen.has(deployment) && seen.add(deployment));
}

function fitting(
  candidates: readonly Candidate[],
  needs: Needs,
  maxNanodollars: number | null,
): Pick<Plan, 'candidates' | 'passedOver'> {
  const passedOver: RouteStep[] = [];
  let reason: SluiceError | null = null;
  let areAllTooDear = true;
  const fit = candidates.filter(({ deployment }) => {
    const fault = unfitness(deployment, needs, maxNanodollars);
    if (!fault) return true;
    const outcome = fault.code === 'max_cost_exceeded' ? 'too_dear' : fault.code;
    passedOver.push({ model: deployment.id, outcome, nanodollars: 0, quality: null });
    reason ??= fault;
    areAllTooDear &&= outcome === 'too_dear';
    return false;
  });
  if (fit.length > 0) return { candidates: fit, passedOver };
  if (reason !== null && areAllTooDear) {
    const [cheapest] = cheapestFirst(
      candidates.map(({ deployment }) => deployment),
      needs,
    );
    reason = unfitness(cheapest!, needs, maxNanodollars);
  }
  throw reason ?? new SluiceError('no_healthy_models', 'None of the models behind this name is served.');
}

/** Names only what the caller may use. */
function unknownModel(
  fleet: Fleet,
  routes: RouteTable,
  caller: Caller,
  name: string,
  param: string,
): SluiceError {
  const names = [...fleet.list().map(({ id }) => id), ...routes.list().map(({ spec }) => spec.name)];
  const served = names.filter((each) => mayUse(caller, each));
  const message =
    names.length === 0
      ? 'No model is served here.'
      : `The model ${JSON.stringify(name)} isn't served here. Served: ${served.join(', ')}.`;
  return new SluiceError('model_not_found', message, { param });
}
