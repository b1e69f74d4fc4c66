import type { z } from 'zod';
import { priceEntryOf } from '../../cost/prices.js';
import { SluiceError } from '../../errors.js';
import type { Deployment } from '../../routing/deployment.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { modelRequest, type modelStatus, type queueStatus } from '../schemas/admin-routing.js';

export function listModelStatus(exchange: Exchange, api: ApiContext): void {
  exchange.json(200, { object: 'list', data: api.gateway.router.fleet.list().map(statusOf) });
}

/** Answers when the model is loaded; a client that doesn't wait for it doesn't stop the loading. */
export async function loadModel(exchange: Exchange, api: ApiContext): Promise<void> {
  const spec = await readJson(exchange, api.body, modelRequest);
  const { fleet, routes } = api.gateway.router;
  const taken = [spec.id, ...spec.aliases].find((name) =>
    routes.list().some((route) => route.spec.name === name),
  );
  if (taken !== undefined)
    throw new SluiceError('duplicate_id', `There is a route ${JSON.stringify(taken)} already.`, {
      param: 'id',
    });
  exchange.json(200, statusOf(await fleet.add(spec)));
}

export async function updateModel(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  const spec = await readJson(exchange, api.body, modelRequest);
  if (spec.id !== id)
    throw new SluiceError('invalid_value', 'id: must be the one in the path', { param: 'id' });
  exchange.json(200, statusOf(await api.gateway.router.fleet.update(id, spec)));
}

/** Answers when the last request that used it has ended and its memory is free. */
export async function unloadModel(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  await api.gateway.router.fleet.remove(id);
  exchange.json(200, { id, object: 'model', deleted: true });
}

export function listQueues(exchange: Exchange, api: ApiContext): void {
  const data: z.output<typeof queueStatus>['data'] = api.gateway.router.fleet.list().map(({ id, queue }) => ({
    model: id,
    running: queue.running,
    waiting: queue.list().map((request) => ({
      id: request.id,
      priority: request.priority,
      position: request.position,
      waited_ms: request.waitedMs,
      estimate_ms: request.estimateMs,
    })),
  }));
  exchange.json(200, { object: 'list', data });
}

/** Never its key, URL or path. */
function statusOf(deployment: Deployment): z.output<typeof modelStatus> {
  const nowMs = Date.now();
  const { id, spec, queue } = deployment;
  const { input, output, cachedInput } = priceEntryOf(deployment.price);
  const reason = deployment.unavailable(nowMs);
  return {
    id,
    kind: spec.upstream ? 'upstream' : (deployment.target?.kind ?? 'local'),
    state: deployment.state,
    available: reason === null,
    reason,
    load_error: deployment.loadError,
    aliases: spec.aliases,
    price: { input, output, cached_input: cachedInput },
    context_tokens: deployment.contextTokens,
    bytes: deployment.bytes,
    breaker: deployment.breaker.state(nowMs),
    first_token_p50_ms: deployment.latency.p50Ms(nowMs),
    running: queue.running,
    waiting: queue.waiting,
    max_running: queue.maxRunning,
    last_used: deployment.lastUsedMs,
  };
}
