import { createHash } from 'node:crypto';
import type { ModelSpec, RouteSpec } from '../config/index.js';
import type { BreakerChange } from './breaker.js';
import type { Rollback } from './canary.js';
import type { Deployment } from './deployment.js';
import type { Router } from './router.js';

/** What one gateway found out that others should know. */
export type HealthNews =
  | { type: 'breaker'; change: BreakerChange }
  | { type: 'rollback'; rollback: Rollback | null }; // null: the canary begins anew

/** Brings news to the other gateways. Topics are names that mean the same to all of them. */
export interface HealthExchange {
  /** Who comes later hears of it for so long; 0: there is nothing to hear any more. */
  tell(topic: string, news: HealthNews, forMs: number): void;
  /** What others tell from now on, and what holds of the topics that are asked for now and whenever news may have been missed. */
  follow(topics: () => string[], hear: (topic: string, news: HealthNews) => void): Promise<void>;
}

const REMEMBER_ROLLBACK_MS = 30 * 86_400_000;

/** Lets gateways learn from each other which upstreams fail and which canaries were taken back. */
export class SharedHealth {
  readonly #exchange: HealthExchange;

  constructor(exchange: HealthExchange) {
    this.#exchange = exchange;
  }

  /** Of this gateway's own finding. Only upstreams are the same for all gateways. */
  breakerChanged({ spec }: Deployment, change: BreakerChange): void {
    if (!spec.upstream) return;
    const forMs = change.state === 'open' ? change.forMs : 0;
    this.#exchange.tell(upstreamTopic(spec), { type: 'breaker', change }, forMs);
  }

  rollbackChanged(spec: RouteSpec, rollback: Rollback | null): void {
    this.#exchange.tell(
      canaryTopic(spec),
      { type: 'rollback', rollback },
      rollback ? REMEMBER_ROLLBACK_MS : 0,
    );
  }

  async attach({ fleet, routes }: Router): Promise<void> {
    const upstreams = () => fleet.list().filter(({ spec }) => spec.upstream);
    const canaries = () => routes.list().filter(({ canary }) => canary);
    const topics = () => [
      ...upstreams().map(({ spec }) => upstreamTopic(spec)),
      ...canaries().map(({ spec }) => canaryTopic(spec)),
    ];
    await this.#exchange.follow(topics, (topic, news) => {
      if (news.type === 'breaker') {
        const nowMs = fleet.environment.now();
        for (const { spec, breaker } of upstreams())
          if (upstreamTopic(spec) === topic) breaker.hear(news.change, nowMs);
        return;
      }
      for (const { spec } of canaries())
        if (canaryTopic(spec) === topic) routes.hearRollback(spec.name, news.rollback);
    });
  }
}

/** The same id may stand for another endpoint elsewhere. */
function upstreamTopic({ id, upstream }: ModelSpec): string {
  return digestOf(['upstream', id, upstream?.url, upstream?.model]);
}

function canaryTopic({ name, models, canary }: RouteSpec): string {
  return digestOf(['canary', name, models, canary]);
}

function digestOf(parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
