import type { TokenCounts } from '../cost/prices.js';
import type { FinishReason, GenerationEvent, GenerationSink } from '../generation/types.js';

/** Counts what a model has really done, so that answers that fail half-way are paid for too. */
export class UsageMeter {
  readonly #promptEstimate: number;
  #promptTokens = 0;
  #completionTokens = 0;
  #cachedTokens = 0;
  #hasBegun = false;
  readonly finishReasons: FinishReason[] = [];

  /** `promptEstimate`: tokens of the prompt, where the model doesn't show them. */
  constructor(promptEstimate: number) {
    this.#promptEstimate = promptEstimate;
  }

  get counts(): TokenCounts {
    return {
      promptTokens: this.#hasBegun ? Math.max(this.#promptTokens, this.#promptEstimate) : 0,
      completionTokens: this.#completionTokens,
      cachedTokens: this.#cachedTokens,
    };
  }

  observe(sink: GenerationSink): GenerationSink {
    return (event) => {
      this.#count(event);
      sink(event);
    };
  }

  #count(event: GenerationEvent): void {
    if (event.type === 'prompt') {
      this.#hasBegun = true;
      this.#promptTokens += event.tokens.length;
      this.#cachedTokens += event.cachedTokens;
    } else if (event.type === 'delta') {
      this.#completionTokens += event.tokens.length;
    } else if (event.type === 'done') {
      this.finishReasons.push(event.finishReason);
    }
  }
}
