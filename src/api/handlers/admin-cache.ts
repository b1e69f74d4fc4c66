import type { z } from 'zod';
import type { LevelStats } from '../../cache/types.js';
import { selectorOf } from '../admin/cache.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { type cacheStats, purgeRequest } from '../schemas/admin-cache.js';

export async function showCache(exchange: Exchange, api: ApiContext): Promise<void> {
  exchange.json(200, wireStats(api.config.cache.enabled, await api.gateway.cache.stats()));
}

export async function purgeCache(exchange: Exchange, api: ApiContext): Promise<void> {
  const selector = selectorOf(await readJson(exchange, api.body, purgeRequest));
  exchange.json(200, { object: 'cache.purge', dropped: await api.gateway.cache.purge(selector) });
}

function wireStats(enabled: boolean, stats: Record<string, LevelStats>): z.output<typeof cacheStats> {
  return {
    object: 'cache',
    enabled,
    levels: Object.entries(stats).map(([level, { entries, bytes }]) => ({ level, entries, bytes })),
  };
}
