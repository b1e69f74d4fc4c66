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
  #finishReason = 'stop';
  /** What guards did, as the ledger has it. */
  guardResult: string | null = null;

  observe(sink: GenerationSink): GenerationSink {
    return (event) => {
      if (event.type === 'done') this.#finishReason = event.finishReason;
      sink(event);
    };
  }

  finished(tab: Tab, { route }: Usage): Outcome {
    return this.#outcome(tab, route?.model ?? tab.lastModel, this.#finishReason);
  }

  failed(tab: Tab, error: unknown): Outcome {
    return this.#outcome(tab, tab.lastModel, toSluiceError(error).code);
  }

  #outcome(tab: Tab, model: string | null, finishReason: string): Outcome {
    const { counts, byModel: costs } = tab;
    return { model, counts, costs, finishReason, cacheLevel: null, guardResult: this.guardResult };
  }
}
