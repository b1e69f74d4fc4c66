import { medianOf } from '../support/median.js';
import { wilsonLower } from '../support/wilson.js';
import { unitHash } from './split.js';

export interface CanaryConfig {
  share: number; // of the users, 0 to 1
  minRequests: number; // of each variant, before anything is concluded
  maxErrorIncrease: number; // canary's error rate above the stable one's
  maxLatencyRatio: number; // canary's median time to first token over the stable one's
}

export type CanaryVariant = 'stable' | 'canary';
export const rollbackReasons = ['error_rate', 'latency', 'quality'] as const;
export type RollbackReason = (typeof rollbackReasons)[number];

export interface Rollback {
  reason: RollbackReason;
  atMs: number;
}

export interface VariantStats {
  requests: number;
  failures: number;
  p50Ms: number | null;
}

const WINDOW = 200; // last outcomes of each variant

/** z of a one-sided 95 % bound: one canary in twenty that is no worse would be taken back by chance, at each look. */
const Z = 1.645;

/** Sends a share of the users to a new model, and takes it back for good once it is clearly worse. */
export class Canary {
  readonly #config: CanaryConfig;
  readonly #outcomes = { stable: new OutcomeWindow(), canary: new OutcomeWindow() };
  readonly #onRollback: (rollback: Rollback) => void;
  #rollback: Rollback | null = null;

  /** `onRollback` is told of what was found out here, not of what was heard. */
  constructor(config: CanaryConfig, onRollback: (rollback: Rollback) => void = () => {}) {
    this.#config = config;
    this.#onRollback = onRollback;
  }

  get rollback(): Rollback | null {
    return this.#rollback;
  }

  /** A key stays with its variant; a larger share only adds keys to the canary. */
  variantOf(key: string): CanaryVariant {
    return this.#rollback === null && unitHash(key) < this.#config.share ? 'canary' : 'stable';
  }

  /** `latencyMs`: time to the first token, null where none came. */
  record(variant: CanaryVariant, failed: boolean, latencyMs: number | null, nowMs: number): void {
    this.#outcomes[variant].add(failed, latencyMs);
    if (variant !== 'canary' || this.#rollback !== null) return;
    const reason = verdict(this.stats('canary'), this.stats('stable'), this.#config);
    if (reason !== null) this.takeBack(reason, nowMs);
  }

  /** For a reason that shows elsewhere than in outcomes. */
  takeBack(reason: RollbackReason, nowMs: number): void {
    if (this.#rollback !== null) return;
    this.#rollback = { reason, atMs: nowMs };
    this.#onRollback(this.#rollback);
  }

  /** It was taken back elsewhere. */
  hear(rollback: Rollback): void {
    this.#rollback ??= rollback;
  }

  stats(variant: CanaryVariant): VariantStats {
    return this.#outcomes[variant].stats();
  }
}

/**
 * Why the canary must go, or null. Errors: the lower Wilson bound of its rate lies above the stable rate plus what is
 * allowed. Latency: ratio of medians, once both have been measured often enough.
 */
export function verdict(
  canary: VariantStats,
  stable: VariantStats,
  config: CanaryConfig,
): RollbackReason | null {
  if (canary.requests < config.minRequests) return null;
  const stableRate = stable.requests === 0 ? 0 : stable.failures / stable.requests;
  if (wilsonLower(canary.failures, canary.requests, Z) > stableRate + config.maxErrorIncrease)
    return 'error_rate';
  if (stable.requests < config.minRequests || canary.p50Ms === null || stable.p50Ms === null) return null;
  return canary.p50Ms > stable.p50Ms * config.maxLatencyRatio ? 'latency' : null;
}

class OutcomeWindow {
  readonly #outcomes: { failed: boolean; latencyMs: number | null }[] = [];

  add(failed: boolean, latencyMs: number | null): void {
    this.#outcomes.push({ failed, latencyMs });
    if (this.#outcomes.length > WINDOW) this.#outcomes.shift();
  }

  stats(): VariantStats {
    return {
      requests: this.#outcomes.length,
      failures: this.#outcomes.filter(({ failed }) => failed).length,
      p50Ms: medianOf(this.#outcomes.flatMap(({ latencyMs }) => latencyMs ?? [])),
    };
  }
}
