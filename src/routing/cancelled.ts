import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';

/** The answer to a request that was given up before any model began: every choice ends as cancelled. */
export function cancelledAnswer(model: string, request: ValidatedRequest, sink: GenerationSink): Usage {
  sink({ type: 'start', model, vocab: null, route: null, warning: null, trimmed: [], quota: {} });
  const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
  for (let choice = 0; choice < prompts * request.choices; choice += 1) {
    sink({ type: 'done', choice, finishReason: 'cancelled', stopSequence: null });
  }
  return { promptTokens: 0, completionTokens: 0, cachedTokens: 0, nanodollars: null };
}
