import type { Expected } from '../cost/accounting.js';
import type { Outcome } from '../cost/admission.js';
import type { Tab } from '../cost/tab.js';
import { toSluiceError } from '../errors.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
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
  /** What guards did, as the ledger has it. */
  guardResult: string | null = null;

  observe(sink: GenerationSink): GenerationSink {
    return (event) => {
      if (event.type === 'start') this.#model = event.model;
      else if (event.type === 'done') this.#finishReason = event.finishReason;
      sink(event);
    };
  }

  /** Of an answer from the cache nothing is on the tab. */
  finished(tab: Tab, { route, cache }: Usage): Outcome {
    const cacheLevel = cache?.level ?? null;
    const model = cacheLevel === null ? (route?.model ?? tab.lastModel) : this.#model;
    return { ...this.#outcome(tab, model, this.#finishReason), cacheLevel };
  }

  failed(tab: Tab, error: unknown): Outcome {
    return this.#outcome(tab, tab.lastModel, toSluiceError(error).code);
  }

  #outcome(tab: Tab, model: string | null, finishReason: string): Outcome {
    const { counts, byModel: costs } = tab;
    return { model, counts, costs, finishReason, cacheLevel: null, guardResult: this.guardResult };
  }
}
