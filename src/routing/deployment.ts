import type { Capability, Config, ModelSpec } from '../config/index.js';
import type { Price, PriceTable } from '../cost/prices.js';
import { ModelQueue } from '../queue/model-queue.js';
import { Breaker, type BreakerChange } from './breaker.js';
import { LatencyEstimate } from './latency.js';
import type { Target } from './target.js';

/** `cold`: configured, and loaded when somebody asks for it. */
export type DeploymentState = 'cold' | 'loading' | 'ready' | 'failed' | 'removed';

export interface Environment {
  settings: Config['routing'];
  prices: PriceTable;
  defaultMaxTokens: number; // of answers whose length nobody set
  now: () => number; // ms, epoch
  random: () => number;
  /** Told what this process has found out about a model's health. */
  onBreakerChange?: (deployment: Deployment, change: BreakerChange) => void;
}

/** The right to use a target until it is given back. */
export interface Lease {
  readonly target: Target;
  release(): void;
}

const BREAKER_WINDOW = 20;
const MAX_COOLDOWN_DOUBLINGS = 16;
const LOAD_RETRY_MS = 30_000;
const DEFAULT_MAX_RUNNING = 64; // until its target is known

/** One model that can be routed to, over all the targets that stand for it in time, and what was learned of it. */
export class Deployment {
  readonly id: string;
  readonly createdMs: number;
  readonly latency = new LatencyEstimate(); // to the first token
  readonly breaker: Breaker;
  state: DeploymentState = 'cold';
  loadError: string | null = null;
  /** After a load that failed: when the next request may try again. */
  #retryLoadMs = 0;
  lastUsedMs: number;
  /** It asked to be left alone until then. */
  pausedUntilMs = 0;
  readonly queue: ModelQueue;
  #spec: ModelSpec;
  #price: Price;
  #target: Target | null = null;
  #facts: Pick<Target, 'capabilities' | 'contextTokens' | 'bytes' | 'revision'> | null = null; // of the last target
  readonly #users = new Map<Target, { count: number; onIdle: (() => void) | null }>();
  readonly #environment: Environment;

  constructor(spec: ModelSpec, environment: Environment) {
    this.id = spec.id;
    this.#spec = spec;
    this.#environment = environment;
    this.#price = this.#priceOf(spec);
    const { breakerFailures, breakerCooldownMs } = environment.settings;
    this.breaker = new Breaker(
      {
        failures: breakerFailures,
        failureShare: 0.5,
        windowSize: BREAKER_WINDOW,
        cooldownMs: breakerCooldownMs,
        maxCooldownMs: breakerCooldownMs * MAX_COOLDOWN_DOUBLINGS,
        trials: 1,
      },
      environment.random,
      (change) => environment.onBreakerChange?.(this, change),
    );
    this.queue = this.#newQueue();
    this.createdMs = environment.now();
    this.lastUsedMs = this.createdMs;
  }

  get target(): Target | null {
    return this.#target;
  }

  get spec(): ModelSpec {
    return this.#spec;
  }

  set spec(spec: ModelSpec) {
    this.#spec = spec;
    this.#price = this.#priceOf(spec);
  }

  get price(): Price {
    return this.#price;
  }

  get contextTokens(): number | null {
    return this.spec.contextTokens ?? this.#facts?.contextTokens ?? null;
  }

  /** Bytes that it holds, or held when it was last loaded. */
  get bytes(): number {
    return this.#facts?.bytes ?? 0;
  }

  /** Of the target that it has or had last; null: it was never loaded. */
  get revision(): string | null {
    return this.#facts?.revision ?? null;
  }

  /** A cold model that was never loaded is taken to have what is asked for. */
  can(capability: Capability): boolean {
    if (this.spec.capabilities) return this.spec.capabilities.includes(capability);
    return this.#facts?.capabilities.has(capability) ?? true;
  }

  /** Why it can't be asked now; null where it can. */
  unavailable(nowMs: number): string | null {
    if (this.state === 'removed') return 'unloaded';
    if (this.state === 'failed' && nowMs < this.#retryLoadMs) return 'failed to load';
    if (this.#target?.alive() === false) return 'not answering';
    if (nowMs < this.pausedUntilMs) return 'overloaded';
    if (!this.breaker.available(nowMs)) return 'circuit open';
    return null;
  }

  /** Median time to the first token and the wait in the queue; null: nothing is known. */
  expectedMs(nowMs: number): number | null {
    const p50 = this.latency.p50Ms(nowMs);
    return p50 === null ? null : p50 + this.queue.estimateMs;
  }

  get isRemoved(): boolean {
    return this.state === 'removed';
  }

  get idle(): boolean {
    return this.queue.running === 0 && this.queue.waiting === 0 && this.#users.size === 0;
  }

  /** New requests go to this target from now on. Returns the one they went to before. */
  use(target: Target): Target | null {
    const before = this.#target;
    const { capabilities, contextTokens, bytes, revision } = target;
    this.#target = target;
    this.#facts = { capabilities, contextTokens, bytes, revision };
    const { maxRunning } = this.spec; // is a bound where it is said
    if (maxRunning === undefined) this.queue.resize(target.maxRunning, target.guests ?? 0);
    else this.queue.resize(maxRunning, 0);
    this.state = 'ready';
    this.loadError = null;
    return before;
  }

  loadFailed(message: string): void {
    this.state = 'failed';
    this.loadError = message;
    this.#retryLoadMs = this.#environment.now() + LOAD_RETRY_MS;
  }

  /** No target any more. Returns the one there was. */
  vacate(state: 'cold' | 'removed'): Target | null {
    const before = this.#target;
    this.#target = null;
    this.state = state;
    return before;
  }

  /** Null while there is no target. */
  lease(): Lease | null {
    const target = this.#target;
    if (!target) return null;
    const users = this.#users.get(target) ?? { count: 0, onIdle: null };
    users.count += 1;
    this.#users.set(target, users);
    this.lastUsedMs = this.#environment.now();
    return { target, release: () => this.#release(target) };
  }

  /** Resolves when nobody uses a target that was replaced. */
  drained(target: Target): Promise<void> {
    const users = this.#users.get(target);
    if (!users) return Promise.resolve();
    return new Promise((resolve) => {
      users.onIdle = resolve;
    });
  }

  #release(target: Target): void {
    const users = this.#users.get(target)!;
    users.count -= 1;
    this.lastUsedMs = this.#environment.now();
    if (users.count > 0) return;
    this.#users.delete(target);
    users.onIdle?.();
  }

  #priceOf({ id, price, upstream }: ModelSpec): Price {
    return this.#environment.prices.of({ id, isLocal: upstream === undefined, price });
  }

  #newQueue(): ModelQueue {
    const { maxWaiting, waitTimeoutMs, priorityStepMs } = this.#environment.settings;
    return new ModelQueue(
      {
        maxRunning: this.spec.maxRunning ?? DEFAULT_MAX_RUNNING,
        maxWaiting: this.spec.maxWaiting ?? maxWaiting,
        waitTimeoutMs,
        priorityStepMs,
      },
      this.#environment.now,
    );
  }
}
