import type { z } from 'zod';
import { SluiceError } from '../../errors.js';
import { unknownModels } from '../../gateway/create.js';
import type { CanaryVariant } from '../../routing/canary.js';
import type { Route } from '../../routing/routes.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { routeRequest, type routeStatus } from '../schemas/admin-routing.js';

export function listRouteStatus(exchange: Exchange, api: ApiContext): void {
  exchange.json(200, { object: 'list', data: api.gateway.router.routes.list().map(statusOf) });
}

/** Adds or replaces a route; a canary that was rolled back begins anew. */
export async function putRoute(exchange: Exchange, api: ApiContext, name: string): Promise<void> {
  const spec = await readJson(exchange, api.body, routeRequest);
  const { fleet, routes } = api.gateway.router;
  if (spec.name !== name)
    throw new SluiceError('invalid_value', 'name: must be the one in the path', { param: 'name' });
  if (fleet.find(name))
    throw new SluiceError('duplicate_id', `There is a model ${JSON.stringify(name)} already.`, {
      param: 'name',
    });
  const [unknown] = unknownModels(spec, (model) => fleet.find(model) !== null);
  if (unknown !== undefined)
    throw new SluiceError('model_not_found', `There is no model ${JSON.stringify(unknown)}.`, {
      param: 'models',
    });
  exchange.json(200, statusOf(routes.set(spec)));
}

export function deleteRoute(exchange: Exchange, api: ApiContext, name: string): void {
  api.gateway.router.routes.delete(name);
  exchange.json(200, { name, object: 'route', deleted: true });
}

function statusOf({ spec, canary }: Route): z.output<typeof routeStatus> {
  const outcomes = (variant: CanaryVariant) => {
    const { requests, failures, p50Ms } = canary!.stats(variant);
    return { requests, failures, first_token_p50_ms: p50Ms };
  };
  return {
    name: spec.name,
    strategy: spec.strategy,
    models: spec.models,
    fallbacks: spec.fallbacks,
    canary: spec.canary
      ? {
          model: spec.canary.model,
          share: spec.canary.share,
          rolled_back: canary!.rollback?.reason ?? null,
          stable_outcomes: outcomes('stable'),
          canary_outcomes: outcomes('canary'),
        }
      : null,
  };
}
