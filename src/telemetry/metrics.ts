import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CacheMetrics } from './cache.js';
import { ClusterMetrics } from './cluster.js';
import { EngineMetrics } from './engine-stats.js';
import { EvaluationMetrics } from './evaluation.js';
import { GenerationMetrics } from './generation.js';
import { GuardMetrics } from './guards.js';
import { RoutingMetrics } from './routing.js';

/** Everything /metrics shows. One instance a server: nothing is registered globally. */
export class Metrics {
  readonly registry = new Registry();
  readonly generations = new GenerationMetrics(this.registry);
  readonly engines = new EngineMetrics(this.registry);
  readonly cache = new CacheMetrics(this.registry);
  readonly evaluation = new EvaluationMetrics(this.registry);
  readonly routing = new RoutingMetrics(this.registry);
  readonly cluster = new ClusterMetrics(this.registry);
  readonly guards = new GuardMetrics(this.registry);
  readonly httpRequests = new Counter({
    name: 'sluice_http_requests_total',
    help: 'HTTP requests answered',
    labelNames: ['route', 'method', 'status'] as const,
    registers: [this.registry],
  });
  readonly httpLatency = new Histogram({
    name: 'sluice_http_request_seconds',
    help: 'Time from the head of a request to the end of its answer',
    labelNames: ['route'] as const,
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120],
    registers: [this.registry],
  });
  readonly webSockets = new Gauge({
    name: 'sluice_websocket_connections',
    help: 'WebSockets open now',
    registers: [this.registry],
  });
  readonly slowReaders = new Counter({
    name: 'sluice_slow_readers_total',
    help: 'Streams dropped because their client did not read',
    labelNames: ['transport'] as const,
    registers: [this.registry],
  });

  constructor(options: { processMetrics: boolean }) {
    if (options.processMetrics) collectDefaultMetrics({ register: this.registry });
  }

  render(): Promise<string> {
    return this.registry.metrics();
  }
}
