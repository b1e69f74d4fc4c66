import type { Outcome } from '../cost/admission.js';
import { toSluiceError } from '../errors.js';
import type { GenerationEvent, GenerationSink, Usage } from './types.js';

/** Counts what an engine has really done, so that requests that fail half-way are settled to the truth too. */
export class UsageMeter {
  #promptTokens = 0;
  #completionTokens = 0;
  #cachedTokens = 0;
  #finishReason = 'stop';

  observe(sink: GenerationSink): GenerationSink {
    return (event) => {
      this.#count(event);
      sink(event);
    };
  }

  finished(usage: Usage): Outcome {
    return { counts: usage, finishReason: this.#finishReason, cacheLevel: null, guardResult: null };
  }

  failed(error: unknown): Outcome {
    const counts = {
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      cachedTokens: this.#cachedTokens,
    };
    return { counts, finishReason: toSluiceError(error).code, cacheLevel: null, guardResult: null };
  }

  #count(event: GenerationEvent): void {
    if (event.type === 'prompt') {
      this.#promptTokens += event.tokens.length;
      this.#cachedTokens += event.cachedTokens;
    } else if (event.type === 'delta') {
      this.#completionTokens += event.tokens.length;
    } else if (event.type === 'done') {
      this.#finishReason = event.finishReason;
    }
  }
}
