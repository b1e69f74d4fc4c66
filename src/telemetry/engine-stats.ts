import { Counter, Gauge, type Registry } from 'prom-client';
import type { Engine } from '../engine/engine.js';
import type { EngineStats } from '../engine/types.js';

type Labelled = { labels: Record<string, string>; value: number };

/** Metrics read from the engines' own snapshots when /metrics is asked for, at no cost to a step. */
export class EngineMetrics {
  readonly #engines: Engine[] = [];
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#gauge('sluice_sequences', 'Sequences by state', ['state'], (stats) => [
      { labels: { state: 'running' }, value: stats.running },
      { labels: { state: 'waiting' }, value: stats.waiting },
    ]);
    this.#gauge('sluice_queue_depth', 'Requests waiting for admission', [], (stats) => [one(stats.waiting)]);
    this.#gauge('sluice_kv_pages', 'Pages of the KV pool by state', ['state'], (stats) => [
      { labels: { state: 'free' }, value: stats.pagesFree },
      { labels: { state: 'cached' }, value: stats.pagesCached },
      { labels: { state: 'live' }, value: stats.pagesLive },
    ]);
    this.#gauge(
      'sluice_kv_window_pages',
      'Pages of layers with an attention window by state',
      ['state'],
      (stats) => [
        { labels: { state: 'free' }, value: stats.windowPagesFree },
        { labels: { state: 'idle' }, value: stats.windowPagesIdle },
        { labels: { state: 'held' }, value: stats.windowPagesHeld },
      ],
    );
    this.#gauge(
      'sluice_kv_unused_cells',
      "Cells of live pages beyond their sequences' tokens",
      [],
      (stats) => [one(stats.cellsUnused)],
    );
    this.#gauge('sluice_kv_host_pages', 'Evicted pages kept in host memory', [], (stats) => [
      one(stats.pagesHost),
    ]);
    this.#counter(
      'sluice_kv_page_moves_total',
      'Pages copied between the pool, host memory and disk',
      ['move'],
      (stats) => [
        { labels: { move: 'saved' }, value: stats.pagesSaved },
        { labels: { move: 'restored' }, value: stats.pagesRestored },
        { labels: { move: 'fetched' }, value: stats.pagesFetched },
      ],
    );
    this.#counter('sluice_graphs_reused_total', 'Graphs computed without being built again', [], (stats) => [
      one(stats.graphsReused),
    ]);
    this.#gauge('sluice_sessions', 'Sessions whose KV is kept', [], (stats) => [one(stats.sessions)]);
    this.#gauge('sluice_pinned_prefixes', 'Pinned prefixes', [], (stats) => [one(stats.pinnedPrefixes)]);
    this.#counter('sluice_steps_total', 'Engine steps', [], (stats) => [one(stats.steps)]);
    this.#counter('sluice_step_seconds_total', 'Time in engine steps by phase', ['phase'], (stats) => [
      { labels: { phase: 'schedule' }, value: stats.scheduleMs / 1000 },
      { labels: { phase: 'forward' }, value: stats.forwardMs / 1000 },
      { labels: { phase: 'sample' }, value: stats.sampleMs / 1000 },
      { labels: { phase: 'emit' }, value: stats.emitMs / 1000 },
    ]);
    this.#counter('sluice_engine_tokens_total', 'Tokens by how they came about', ['kind'], (stats) => [
      { labels: { kind: 'prompt' }, value: stats.promptTokens },
      { labels: { kind: 'cached' }, value: stats.cachedTokens },
      { labels: { kind: 'generated' }, value: stats.generatedTokens },
    ]);
    this.#counter(
      'sluice_speculated_tokens_total',
      'Guessed tokens by what became of them',
      ['result'],
      (stats) => [
        { labels: { result: 'accepted' }, value: stats.acceptedTokens },
        { labels: { result: 'rejected' }, value: stats.draftedTokens - stats.acceptedTokens },
      ],
    );
    this.#counter('sluice_prefix_queries_total', 'Look-ups in the prefix cache', [], (stats) => [
      one(stats.prefixQueries),
    ]);
    this.#counter('sluice_prefix_hits_total', 'Look-ups that found a prefix', [], (stats) => [
      one(stats.prefixHits),
    ]);
    this.#counter('sluice_preemptions_total', 'Sequences set back for lack of pages', [], (stats) => [
      one(stats.preemptions),
    ]);
    this.#counter('sluice_admission_rejections_total', 'Requests the engine refused', [], (stats) => [
      one(stats.rejections),
    ]);
  }

  add(engine: Engine): void {
    this.#engines.push(engine);
  }

  remove(engine: Engine): void {
    const index = this.#engines.indexOf(engine);
    if (index >= 0) this.#engines.splice(index, 1);
  }

  #gauge(name: string, help: string, labelNames: string[], read: (stats: EngineStats) => Labelled[]): void {
    const engines = this.#engines;
    const labelled = { name, help, labelNames: ['model', ...labelNames], registers: [this.#registry] };
    new Gauge({
      ...labelled,
      collect() {
        this.reset();
        for (const [labels, value] of samples(engines, read)) this.set(labels, value);
      },
    });
  }

  /** The engine counts; the counter is set to its total by starting over at each collection. */
  #counter(name: string, help: string, labelNames: string[], read: (stats: EngineStats) => Labelled[]): void {
    const engines = this.#engines;
    const labelled = { name, help, labelNames: ['model', ...labelNames], registers: [this.#registry] };
    new Counter({
      ...labelled,
      collect() {
        this.reset();
        for (const [labels, value] of samples(engines, read)) this.inc(labels, value);
      },
    });
  }
}

function* samples(engines: readonly Engine[], read: (stats: EngineStats) => Labelled[]) {
  for (const engine of engines) {
    for (const { labels, value } of read(engine.stats()))
      yield [{ model: engine.modelId, ...labels }, value] as const;
  }
}

function one(value: number): Labelled {
  return { labels: {}, value };
}
