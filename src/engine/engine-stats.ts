import type { NativeContext } from '../native/types.js';
import type { PageStore } from './page-store/page-store.js';
import type { Requests } from './requests.js';
import type { Scheduler } from './scheduler.js';
import type { EngineStats } from './types.js';

/** What the step loop itself counts: sums over all steps. */
export function newTotals() {
  return {
    steps: 0,
    lastStepAtMs: 0,
    scheduleMs: 0,
    forwardMs: 0,
    sampleMs: 0,
    emitMs: 0,
    promptTokens: 0,
    generatedTokens: 0,
    draftedTokens: 0,
    acceptedTokens: 0,
  };
}

export interface StatsSources {
  totals: ReturnType<typeof newTotals>;
  scheduler: Scheduler;
  requests: Requests;
  store: PageStore | null;
  context: Pick<NativeContext, 'graphsReused'>;
}

export function engineStats({ totals, scheduler, requests, store, context }: StatsSources): EngineStats {
  const { pool, running, waiting, sessions, prefixes } = scheduler;
  const { windows } = scheduler.placement;
  return {
    ...totals,
    rejections: requests.rejections,
    running: running.length,
    waiting: waiting.size,
    pagesTotal: pool.total,
    pagesFree: pool.free,
    pagesCached: pool.cached,
    pagesLive: pool.live,
    windowPagesTotal: windows?.total ?? 0,
    windowPagesFree: windows?.free ?? 0,
    windowPagesIdle: windows?.idle ?? 0,
    windowPagesHeld: windows?.held ?? 0,
    cellsUnused: scheduler.cellsUnused,
    pagesHost: store?.host.size ?? 0,
    pagesSaved: store?.counts.saved ?? 0,
    pagesRestored: store?.counts.restored ?? 0,
    pagesFetched: store?.counts.fetched ?? 0,
    graphsReused: context.graphsReused(),
    cachedTokens: scheduler.prefixUse.cachedTokens,
    prefixQueries: scheduler.prefixUse.queries,
    prefixHits: scheduler.prefixUse.hits,
    preemptions: scheduler.preemptions,
    sessions: sessions.size,
    pinnedPrefixes: prefixes.size,
  };
}
