import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';

export async function metrics(exchange: Exchange, api: ApiContext): Promise<void> {
  exchange.text(200, await api.metrics.render(), api.metrics.registry.contentType);
}
