import { Counter, Gauge, type Registry } from 'prom-client';
import type { CacheLevel } from '../generation/types.js';

interface Size {
  entries: number;
  bytes: number;
}

type Sizes = Record<string, Size>; // by level

export class CacheMetrics {
  readonly #hits: Counter<'cache_level'>;
  readonly #misses: Counter;
  readonly #faults: Counter<'cache_level'>;
  readonly #registry: Registry;
  #sizes: () => Promise<Sizes> = () => Promise.resolve({});

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    this.#hits = new Counter({
      name: 'llm_cache_hits_total',
      help: 'Answers that were not computed for their request: from memory (l1), the data folder or Redis (l2), a similar question (l3), or an identical request under way (flight)',
      labelNames: ['cache_level'],
      registers,
    });
    this.#misses = new Counter({
      name: 'llm_cache_misses_total',
      help: 'Answers that had to be computed though they might have been cached',
      registers,
    });
    this.#faults = new Counter({
      name: 'sluice_cache_faults_total',
      help: 'Failures of the cache, which cost a hit and nothing else',
      labelNames: ['cache_level'],
      registers,
    });
    this.#gauge('sluice_cache_entries', 'Answers that a level of the cache holds', ({ entries }) => entries);
    this.#gauge(
      'sluice_cache_bytes',
      'Bytes of the answers that a level of the cache holds',
      ({ bytes }) => bytes,
    );
  }

  /** `sizes` is asked when /metrics is. */
  watch(sizes: () => Promise<Sizes>): void {
    this.#sizes = sizes;
  }

  hit(level: CacheLevel): void {
    this.#hits.labels(level).inc();
  }

  missed(): void {
    this.#misses.inc();
  }

  failed(level: CacheLevel): void {
    this.#faults.labels(level).inc();
  }

  #gauge(name: string, help: string, read: (size: Size) => number): void {
    const sizes = () => this.#sizes();
    new Gauge({
      name,
      help,
      labelNames: ['cache_level'],
      registers: [this.#registry],
      async collect() {
        this.reset();
        for (const [cache_level, size] of Object.entries(await sizes()))
          this.set({ cache_level }, read(size));
      },
    });
  }
}
