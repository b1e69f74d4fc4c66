import type { ModelSpec } from '../config/index.js';
import type { FinishReason, Usage, ValidatedRequest } from '../generation/types.js';
import type { Attributes } from './trace.js';

/** Of a request to a model, in the names of OpenTelemetry's conventions for generative AI. No text is among them. */
export function requestAttributes(
  request: ValidatedRequest,
  model: string,
  { upstream }: Pick<ModelSpec, 'upstream'>,
): Attributes {
  const { input, choices, maxTokens, sampling, explicit, stream, id, sessionId } = request;
  return {
    'gen_ai.operation.name': operationOf(request),
    // An upstream's protocol is all that is known of its provider; its address tells more.
    'gen_ai.provider.name': upstream ? 'openai' : 'sluice',
    'server.address': upstream && new URL(upstream.url).hostname,
    'gen_ai.request.model': model,
    'gen_ai.request.choice.count': choices === 1 ? undefined : choices,
    'gen_ai.request.max_tokens': maxTokens ?? undefined,
    'gen_ai.request.temperature': sampling.temperature,
    'gen_ai.request.top_p': sampling.topP,
    'gen_ai.request.top_k': sampling.topK === 0 ? undefined : sampling.topK,
    'gen_ai.request.frequency_penalty': sampling.frequencyPenalty || undefined,
    'gen_ai.request.presence_penalty': sampling.presencePenalty || undefined,
    'gen_ai.request.seed': explicit.seed ? sampling.seed : undefined,
    'gen_ai.output.type': input.kind === 'chat' && input.options.response_format ? 'json' : 'text',
    'gen_ai.conversation.id': sessionId ?? undefined,
    'gen_ai.response.id': id,
    'sluice.stream': stream,
  };
}

export function answerAttributes(
  model: string,
  usage: Usage,
  finishReasons: readonly FinishReason[],
): Attributes {
  return {
    'gen_ai.response.model': model,
    'gen_ai.response.finish_reasons': [...finishReasons],
    'gen_ai.usage.input_tokens': usage.promptTokens,
    'gen_ai.usage.output_tokens': usage.completionTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cachedTokens,
  };
}

export function operationOf({ input }: Pick<ValidatedRequest, 'input'>): string {
  return input.kind === 'chat' ? 'chat' : 'text_completion';
}
