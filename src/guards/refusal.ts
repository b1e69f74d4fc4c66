import type { GuardReport } from '../generation/report.js';
import type { Usage } from '../generation/types.js';
import type { Visitor } from './guards.js';

/** A refusal that looks like an answer, since not all clients show errors. No model was asked. */
export function refuse({ request, model, sink }: Visitor, refusal: string, guard: GuardReport): Usage {
  sink({ type: 'start', model, vocab: null, route: null, warning: null, trimmed: [], quota: {} });
  const { input } = request;
  const choices = request.choices * (input.kind === 'text' ? input.prompts.length : 1);
  const message = input.kind === 'chat' ? { content: refusal } : null;
  for (let choice = 0; choice < choices; choice += 1) {
    sink({ type: 'delta', choice, text: refusal, message, tokens: [], logprobs: null });
    sink({ type: 'done', choice, finishReason: 'content_filter', stopSequence: null, guard });
  }
  return { promptTokens: 0, completionTokens: 0, cachedTokens: 0, nanodollars: null };
}
