import type { Deployment } from './deployment.js';
import type { Fleet } from './fleet.js';

const TICK_MS = 1_000;
const TIMEOUT_MS = 5_000;
/** Probes in a row that must fail before a model counts as down: one lost packet isn't an outage. */
const FAILURES = 3;

interface Probed {
  dueMs: number;
  failures: number;
  isRunning: boolean;
}

/** Asks upstreams from time to time whether they live, so that a dead one is known before a request meets it. */
export class Probes {
  readonly #fleet: Fleet;
  readonly #probed = new WeakMap<Deployment, Probed>();
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stop.abort();
  }

  /** Begins the probes that are due; resolves when they are over. */
  async tick(): Promise<void> {
    await Promise.all(this.#fleet.list().map((deployment) => this.#probe(deployment)));
  }

  async #probe(deployment: Deployment): Promise<void> {
    const { now, random } = this.#fleet.environment;
    const { target, spec, breaker } = deployment;
    const intervalMs = spec.upstream?.probeIntervalMs ?? 0;
    if (intervalMs === 0 || !target?.probe) return;
    const state = this.#probed.get(deployment) ?? { dueMs: 0, failures: 0, isRunning: false };
    this.#probed.set(deployment, state);
    if (state.isRunning || now() < state.dueMs) return;
    state.isRunning = true;
    const lives = await target.probe(AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]));
    state.isRunning = false;
    state.dueMs = now() + intervalMs * (0.9 + 0.2 * random());
    state.failures = lives ? 0 : state.failures + 1;
    if (this.#stop.signal.aborted) return;
    if (lives) breaker.alive(now());
    else if (state.failures >= FAILURES) breaker.dead(now());
  }
}
