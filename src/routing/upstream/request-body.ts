import type { UpstreamSpec } from '../../config/index.js';
import type { ValidatedRequest } from '../../generation/types.js';

/**
 * A request in OpenAI's form. What the client left out is left out here too, so that the upstream's own defaults hold and no
 * endpoint meets a field that it doesn't know unless the client meant it.
 */
export function upstreamBody(request: ValidatedRequest, model: string, spec: UpstreamSpec): string {
  const { input, stream, choices, stop, sampling, explicit, maxTokens } = request;
  return JSON.stringify({
    model,
    ...(input.kind === 'chat' ? chatFields(request) : textFields(request)),
    ...(choices > 1 ? { n: choices } : {}),
    ...(maxTokens === null
      ? {}
      : { [input.kind === 'chat' ? spec.maxTokensField : 'max_tokens']: maxTokens }),
    ...(stop.length > 0 ? { stop } : {}),
    ...(explicit.temperature ? { temperature: sampling.temperature } : {}),
    ...(explicit.seed ? { seed: sampling.seed } : {}),
    ...samplingFields(sampling),
    ...(request.constraint?.kind === 'grammar' ? { grammar: request.constraint.grammar } : {}),
    ...(request.user === null ? {} : { user: request.user }),
    ...(stream ? { stream: true } : {}),
    ...(stream && spec.streamUsage ? { stream_options: { include_usage: true } } : {}),
  });
}

function chatFields({ input, sampling }: ValidatedRequest): object {
  if (input.kind !== 'chat') return {};
  const { topLogprobs } = sampling;
  return {
    messages: input.messages,
    ...input.options,
    ...(topLogprobs >= 0 ? { logprobs: true } : {}),
    ...(topLogprobs > 0 ? { top_logprobs: topLogprobs } : {}),
  };
}

/** `echo` isn't passed on: the gateway repeats the prompt itself. */
function textFields({ input, sampling, constraint }: ValidatedRequest): object {
  if (input.kind !== 'text') return {};
  const prompts = input.prompts.map((prompt) => (typeof prompt === 'string' ? prompt : Array.from(prompt)));
  return {
    prompt: prompts.length === 1 ? prompts[0] : prompts,
    ...(sampling.topLogprobs >= 0 ? { logprobs: sampling.topLogprobs } : {}),
    ...(constraint?.kind === 'schema' ? { response_format: jsonFormat(constraint.schemaJson) } : {}),
  };
}

function jsonFormat(schemaJson: string): object {
  return { type: 'json_schema', json_schema: { name: 'answer', schema: JSON.parse(schemaJson) } };
}

function samplingFields(sampling: ValidatedRequest['sampling']): object {
  const { topP, frequencyPenalty, presencePenalty, topK, minP, repeatPenalty, ignoreEos, logitBias } =
    sampling;
  return {
    ...(topP === 1 ? {} : { top_p: topP }),
    ...(frequencyPenalty === 0 ? {} : { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty === 0 ? {} : { presence_penalty: presencePenalty }),
    ...(topK === 0 ? {} : { top_k: topK }),
    ...(minP === 0 ? {} : { min_p: minP }),
    ...(repeatPenalty === 1 ? {} : { repeat_penalty: repeatPenalty }),
    ...(ignoreEos ? { ignore_eos: true } : {}),
    ...(logitBias.length === 0
      ? {}
      : { logit_bias: Object.fromEntries(logitBias.map(({ token, bias }) => [token, bias])) }),
  };
}
