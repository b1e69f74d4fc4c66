import type { z } from 'zod';
import type { Engine } from '../../engine/engine.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import type { engineStatusList } from '../schemas/admin-engine.js';

type EngineStatus = z.output<typeof engineStatusList>['data'][number];

export function showEngines(exchange: Exchange, api: ApiContext): void {
  const data = api.gateway.models.list().map(({ id, engine }) => statusOf(id, engine));
  exchange.json(200, { object: 'list', data } satisfies z.output<typeof engineStatusList>);
}

function statusOf(model: string, engine: Engine): EngineStatus {
  const { placement, attention, attentionReason, kvBytes, bytesPerPage } = engine.context;
  const stats = engine.stats();
  return {
    object: 'engine',
    model,
    placement,
    attention,
    attention_reason: attentionReason,
    max_context: engine.maxContext,
    kv_bytes: kvBytes,
    page_bytes: bytesPerPage,
    pages: {
      total: stats.pagesTotal,
      free: stats.pagesFree,
      cached: stats.pagesCached,
      live: stats.pagesLive,
      host: stats.pagesHost,
    },
    window_pages: {
      total: stats.windowPagesTotal,
      free: stats.windowPagesFree,
      idle: stats.windowPagesIdle,
      held: stats.windowPagesHeld,
    },
    running: stats.running,
    waiting: stats.waiting,
    steps: stats.steps,
    graphs_reused: stats.graphsReused,
    preemptions: stats.preemptions,
  };
}
