import { ConfidenceSequence, differenceOf } from '../statistics/confidence-sequence.js';

export interface DriftOptions {
  reference: number; // observations that say what is usual
  window: number; // observations before the comparison begins anew
  alpha: number; // chance of ever reporting drift where there is none
}

export type Drift = 'up' | 'down';

/**
 * Tells when the mean of a measure in [0, 1] is no longer what it was: an always-valid interval of the reference against one of
 * what came since, which begins anew after each window, the n-th with a share of alpha of 6 / (π n)². So the chance of a false
 * alarm stays ≤ alpha however long it runs; what drifts slowly is found in a later window.
 */
export class DriftDetector {
  readonly #options: DriftOptions;
  readonly #reference: ConfidenceSequence;
  #current: ConfidenceSequence;
  #windows = 1;

  constructor(options: DriftOptions) {
    this.#options = options;
    this.#reference = new ConfidenceSequence(options.alpha / 2);
    this.#current = this.#sequence();
  }

  /** What is found after this observation; null: nothing. */
  add(value: number): Drift | null {
    if (this.#reference.count < this.#options.reference) {
      this.#reference.add(value);
      return null;
    }
    if (this.#current.count >= this.#options.window) {
      this.#windows += 1;
      this.#current = this.#sequence();
    }
    this.#current.add(value);
    const { low, high } = differenceOf(this.#reference.interval, this.#current.interval);
    return low > 0 ? 'up' : high < 0 ? 'down' : null;
  }

  get means(): { reference: number; current: number } {
    return { reference: this.#reference.mean, current: this.#current.mean };
  }

  #sequence(): ConfidenceSequence {
    return new ConfidenceSequence(((this.#options.alpha / 2) * 6) / (Math.PI * this.#windows) ** 2);
  }
}
