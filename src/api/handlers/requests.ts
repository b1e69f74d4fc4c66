import { ownerOf, shown } from '../background.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';

export function getRequest(exchange: Exchange, api: ApiContext, id: string): void {
  exchange.json(200, shown(api, api.background.find(ownerOf(exchange), id)));
}

export function cancelRequest(exchange: Exchange, api: ApiContext, id: string): void {
  api.background.remove(ownerOf(exchange), id);
  exchange.json(200, { id, object: 'request', deleted: true });
}
