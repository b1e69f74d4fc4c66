import { Counter, Histogram, type Registry } from 'prom-client';
import type { BlockReport } from '../generation/report.js';

const LATENCY_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 30];

export class GuardMetrics {
  readonly blocks: Counter<'guard_type' | 'stage'>;
  readonly findings: Counter<'guard_type' | 'stage' | 'mode'>;
  readonly failures: Counter<'guard_type' | 'reason'>;
  readonly latency: Histogram<'guard_type'>;
  readonly stageLatency: Histogram<'stage'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.blocks = new Counter({
      name: 'llm_guardrail_blocks_total',
      help: 'Requests and answers that a guard has blocked',
      labelNames: ['guard_type', 'stage'],
      registers,
    });
    this.findings = new Counter({
      name: 'sluice_guard_findings_total',
      help: 'What guards have found, by what was done: warn, reversible, mask, redact or block',
      labelNames: ['guard_type', 'stage', 'mode'],
      registers,
    });
    this.failures = new Counter({
      name: 'sluice_guard_failures_total',
      help: 'Checks that failed: timeout, busy or crashed',
      labelNames: ['guard_type', 'reason'],
      registers,
    });
    this.latency = new Histogram({
      name: 'sluice_guard_seconds',
      help: 'Time that a guard takes for one check',
      labelNames: ['guard_type'],
      buckets: LATENCY_BUCKETS_SECONDS,
      registers,
    });
    this.stageLatency = new Histogram({
      name: 'sluice_guard_stage_seconds',
      help: 'Time that all guards of a stage take for one check, their waiting included',
      labelNames: ['stage'],
      buckets: LATENCY_BUCKETS_SECONDS,
      registers,
    });
  }

  blocked({ guard, stage }: BlockReport): void {
    this.blocks.labels(guard, stage).inc();
  }
}
