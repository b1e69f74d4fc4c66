import { SluiceError } from '../../errors.js';
import { type ApiContext, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';

/** Requests go on, without what gateways share. */
const degraded = { status: 'degraded', reason: 'Redis is away' };

export function healthz(exchange: Exchange): void {
  exchange.json(200, { status: 'ok' });
}

export function readyz(exchange: Exchange, api: ApiContext): void {
  refuseDraining(api);
  const fault = api.access.needsKey ? api.gateway.accounting.fault() : null;
  if (fault) throw fault;
  const stuck = api.gateway.models.list().filter(({ engine }) => !engine.healthy());
  if (stuck.length > 0) {
    const names = stuck.map(({ id }) => id).join(', ');
    throw new SluiceError('model_not_ready', `Not answering: ${names}.`, { retryAfterSeconds: 5 });
  }
  const nowMs = Date.now();
  const deployments = api.gateway.router.fleet.list();
  if (!deployments.some((deployment) => deployment.unavailable(nowMs) === null))
    throw new SluiceError('model_not_ready', 'No model can be asked.', { retryAfterSeconds: 5 });
  exchange.json(200, api.isConnected() ? { status: 'ready' } : degraded);
}

/** A cold model is not ready, though a request would load it. */
export function modelReadyz(exchange: Exchange, api: ApiContext, name: string): void {
  refuseDraining(api);
  const deployment = api.gateway.router.fleet.find(name);
  if (!deployment) throw new SluiceError('model_not_found', `There is no model ${JSON.stringify(name)}.`);
  const reason = deployment.state === 'ready' ? deployment.unavailable(Date.now()) : deployment.state;
  if (reason !== null) {
    const message = `${deployment.id} is not ready: ${reason}.`;
    throw new SluiceError('model_not_ready', message, { retryAfterSeconds: 5 });
  }
  exchange.json(200, { status: 'ready' });
}
