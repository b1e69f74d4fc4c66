import type { Admission, Outcome } from '../cost/admission.js';

/**
 * When a request is paid: as it ends, unless something that it began goes on for others, who asked for the same; then when that
 * ends. An outcome is asked for no sooner than that, since it has all costs.
 */
export class Settlement {
  readonly #settle: Admission['settle'];
  readonly #running = new Set<Promise<unknown>>();

  constructor(settle: Admission['settle']) {
    this.#settle = settle;
  }

  /** Computes something that has to be paid, whoever waits for it. */
  async charge<T>(compute: () => Promise<T>): Promise<T> {
    const running = compute();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** The cost in nanodollars, kept; null where nothing is accounted, or it isn't known yet. */
  async settle(outcome: () => Outcome): Promise<number | null> {
    if (this.#running.size === 0) return await this.#settle(outcome());
    void Promise.allSettled(this.#running).then(() => this.#settle(outcome()));
    return null;
  }
}
