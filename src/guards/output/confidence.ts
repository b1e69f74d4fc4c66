import type { ShownLogprob } from '../../generation/types.js';
import type { Confidence } from '../types.js';

/** Mean and least probability of a choice's tokens. */
export class ConfidenceMeter {
  #tokens = 0;
  #sum = 0;
  #min = 1;

  add(logprobs: readonly ShownLogprob[]): void {
    for (const { logprob } of logprobs) {
      const probability = Math.exp(logprob);
      this.#tokens += 1;
      this.#sum += probability;
      this.#min = Math.min(this.#min, probability);
    }
  }

  get value(): Confidence | null {
    return this.#tokens === 0 ? null : { mean: this.#sum / this.#tokens, min: this.#min };
  }
}
