import type { Interval } from './bootstrap.js';

const LARGEST_BET = 0.5;

/**
 * An interval for the mean of values in [0, 1] that holds at all times at once with chance ≥ 1 − alpha, so that looking after
 * every value is allowed: the predictable plug-in empirical Bernstein confidence sequence of Waudby-Smith and Ramdas
 * (2023, theorem 2). No assumption but the bounds. Where the mean moves, it is for the mean so far, the early values weighing a
 * little more; so intervals of different times aren't intersected: the old and the new mean would leave nothing between them.
 * O(1) a value.
 */
export class ConfidenceSequence {
  readonly #logTerm: number; // log(2 / alpha)
  #count = 0;
  #sum = 0.5; // with a prior value of ½
  #squares = 0.25; // with a prior variance of ¼
  #bets = 0;
  #weighted = 0;
  #spread = 0;
  #interval: Interval = { low: 0, high: 1 };

  constructor(alpha: number) {
    this.#logTerm = Math.log(2 / alpha);
  }

  get count(): number {
    return this.#count;
  }

  /** Plain mean of what was added; ½ where nothing was. */
  get mean(): number {
    return this.#count === 0 ? 0.5 : (this.#sum - 0.5) / this.#count;
  }

  get interval(): Interval {
    return this.#interval;
  }

  add(value: number): void {
    const bounded = Math.min(1, Math.max(0, value));
    const before = this.#sum / (this.#count + 1);
    const variance = this.#squares / (this.#count + 1);
    this.#count += 1;
    const bet = Math.min(
      LARGEST_BET,
      Math.sqrt((2 * this.#logTerm) / (variance * this.#count * Math.log(1 + this.#count))),
    );
    this.#bets += bet;
    this.#weighted += bet * bounded;
    this.#spread += (bounded - before) ** 2 * (-Math.log1p(-bet) - bet);
    this.#sum += bounded;
    this.#squares += (bounded - this.#sum / (this.#count + 1)) ** 2;
    const centre = this.#weighted / this.#bets;
    const radius = (this.#logTerm + this.#spread) / this.#bets;
    this.#interval = { low: Math.max(0, centre - radius), high: Math.min(1, centre + radius) };
  }
}

/** Interval of b − a, valid whenever both are. */
export function differenceOf(a: Interval, b: Interval): Interval {
  return { low: b.low - a.high, high: b.high - a.low };
}
