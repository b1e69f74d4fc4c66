import { ownerOf, shown } from '../background.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';

export async function getRequest(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  exchange.json(200, shown(api, await api.background.find(ownerOf(exchange), id)));
}

export async function cancelRequest(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  await api.background.remove(ownerOf(exchange), id);
  exchange.json(200, { id, object: 'request', deleted: true });
}
