import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { openapiDocument } from '../openapi.js';

export function openapi(exchange: Exchange, api: ApiContext): void {
  exchange.text(200, openapiDocument(api.routes), 'application/json; charset=utf-8');
}
