import type { Expected } from '../cost/accounting.js';
import type { Outcome } from '../cost/admission.js';
import type { Tab } from '../cost/tab.js';
import { toSluiceError } from '../errors.js';
import type { CacheLevel, GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import { leastPromptTokens } from '../routing/needs.js';

/** Before the model is known, and the prompt tokenised: at least so much. */
export function expectedOf({ id, caller, input, choices, maxTokens }: ValidatedRequest): Expected {
  const prompts = input.kind === 'text' ? input.prompts.length : 1;
  return { id, caller, tokens: leastPromptTokens({ input }) + prompts * choices * (maxTokens ?? 1) };
}

/** How a request ended, for its settlement. */
export class Ending {
  #model: string | null = null;
  #finishReason = 'stop';

  observe(sink: GenerationSink): GenerationSink {
    return (event) => {
      if (event.type === 'start') this.#model = event.model;
      else if (event.type === 'done') this.#finishReason = event.finishReason;
      sink(event);
    };
  }

  finished(tab: Tab, { route }: Usage): Outcome {
    return outcomeOf(tab, route?.model ?? tab.lastModel, this.#finishReason);
  }

  /** Nothing was computed, so that there is nothing on the tab. */
  cached(tab: Tab, level: CacheLevel): Outcome {
    return { ...outcomeOf(tab, this.#model, this.#finishReason), cacheLevel: level };
  }

  failed(tab: Tab, error: unknown): Outcome {
    return outcomeOf(tab, tab.lastModel, toSluiceError(error).code);
  }
}

function outcomeOf(tab: Tab, model: string | null, finishReason: string): Outcome {
  const { counts, byModel: costs } = tab;
  return { model, counts, costs, finishReason, cacheLevel: null, guardResult: null };
}
