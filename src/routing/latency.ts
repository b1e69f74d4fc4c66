import { medianOf } from '../support/median.js';

const SAMPLES = 64;
const MAX_AGE_MS = 300_000;

/** Median of what was measured lately; forgets, so that a model that was slow once gets another chance. */
export class LatencyEstimate {
  #samples: { valueMs: number; atMs: number }[] = []; // oldest first
  #median: number | null = null;
  #isStale = false;

  /** How many it knows, as of the last p50Ms(). */
  get samples(): number {
    return this.#samples.length;
  }

  add(valueMs: number, nowMs: number): void {
    this.#samples.push({ valueMs, atMs: nowMs });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#isStale = true;
  }

  /** Null: nothing is known. O(64 log 64) after a change, else O(1). */
  p50Ms(nowMs: number): number | null {
    while (this.#samples.length > 0 && nowMs - this.#samples[0]!.atMs > MAX_AGE_MS) {
      this.#samples.shift();
      this.#isStale = true;
    }
    if (this.#isStale) this.#median = medianOf(this.#samples.map(({ valueMs }) => valueMs));
    this.#isStale = false;
    return this.#median;
  }
}
