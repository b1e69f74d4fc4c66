import { SluiceError } from '../../errors.js';
import { type ApiContext, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';

export function healthz(exchange: Exchange): void {
  exchange.json(200, { status: 'ok' });
}

export function readyz(exchange: Exchange, api: ApiContext): void {
  refuseDraining(api);
  const stuck = api.gateway.models.list().filter(({ engine }) => !engine.healthy());
  if (stuck.length > 0) {
    const names = stuck.map(({ id }) => id).join(', ');
    throw new SluiceError('model_not_ready', `Not answering: ${names}.`, { retryAfterSeconds: 5 });
  }
  exchange.json(200, { status: 'ready' });
}
