import { SluiceError } from '../../errors.js';
import type {
  FinishReason,
  GenerationSink,
  MessageDelta,
  ShownLogprob,
  Usage,
  ValidatedRequest,
} from '../../generation/types.js';
import { estimatePromptTokens, tokensOfCharacters } from '../needs.js';
import { type AnswerPart, answerPart, type WireChoice } from './wire.js';

const UNKNOWN_TOKEN = -1;

/** Turns what an upstream says into the events of a request, and sees to it that they are complete. */
export class UpstreamAnswer {
  readonly #request: ValidatedRequest;
  readonly #sink: GenerationSink;
  readonly #model: string;
  readonly #open = new Set<number>(); // choices that haven't ended
  #usage: Usage | null = null;
  #characters = 0; // of text received, for an estimate
  #hasBegun = false;

  constructor(model: string, request: ValidatedRequest, sink: GenerationSink) {
    this.#model = model;
    this.#request = request;
    this.#sink = sink;
    const prompts = request.input.kind === 'text' ? request.input.prompts.length : 1;
    for (let choice = 0; choice < prompts * request.choices; choice += 1) this.#open.add(choice);
  }

  /** Takes a whole answer or an event of a stream, as JSON. Throws upstream_failed. */
  take(json: string): void {
    const part = parsePart(json);
    if (part.error !== undefined && part.error !== null)
      throw new SluiceError('upstream_failed', 'The upstream broke off with an error.');
    if (part.usage) this.#usage = usageOf(part.usage);
    for (const choice of part.choices) this.#takeChoice(choice);
  }

  /** The upstream has said all. Throws upstream_failed where choices are still open. */
  end(): Usage {
    if (this.#open.size > 0) throw new SluiceError('upstream_failed', "The upstream's answer is incomplete.");
    return this.#usage ?? this.#estimate();
  }

  /** We don't want to hear more: what is open ends as cancelled. */
  cancel(): Usage {
    this.#begin();
    for (const choice of this.#open)
      this.#sink({ type: 'done', choice, finishReason: 'cancelled', stopSequence: null });
    this.#open.clear();
    return this.#usage ?? this.#estimate();
  }

  #takeChoice(choice: WireChoice): void {
    if (!this.#open.has(choice.index)) return; // after its end, or one that nobody asked for
    this.#begin();
    const message = this.#request.input.kind === 'chat' ? messageOf(choice) : null;
    const text = choice.text ?? message?.content ?? '';
    const logprobs = this.#request.sampling.topLogprobs >= 0 ? logprobsOf(choice) : null;
    if (text !== '' || logprobs !== null || (message && Object.keys(message).length > 0)) {
      this.#characters += text.length;
      const tokens = new Array<number>(logprobs?.length ?? 1).fill(UNKNOWN_TOKEN);
      this.#sink({ type: 'delta', choice: choice.index, text, message, tokens, logprobs });
    }
    if (!choice.finish_reason) return;
    this.#open.delete(choice.index);
    const finishReason = finishReasonOf(choice.finish_reason);
    this.#sink({ type: 'done', choice: choice.index, finishReason, stopSequence: null });
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#sink({
      type: 'start',
      model: this.#model,
      vocab: null,
      route: null,
      warning: null,
      trimmed: [],
      quota: {},
    });
    const prompts = this.#request.input.kind === 'text' ? this.#request.input.prompts.length : 1;
    for (let prompt = 0; prompt < prompts; prompt += 1)
      this.#sink({ type: 'prompt', prompt, tokens: new Int32Array(0), cachedTokens: 0, logprobs: null });
  }

  #estimate(): Usage {
    const completionTokens = tokensOfCharacters(this.#characters);
    return {
      promptTokens: estimatePromptTokens(this.#request),
      completionTokens,
      cachedTokens: 0,
      nanodollars: null,
      isEstimated: true,
    };
  }
}

function parsePart(json: string): AnswerPart {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new SluiceError('upstream_failed', "The upstream's answer isn't JSON.");
  }
  const parsed = answerPart.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new SluiceError('upstream_failed', `The upstream's answer isn't as it should be at ${where}.`);
}

function usageOf(usage: NonNullable<AnswerPart['usage']>): Usage {
  const promptTokens = usage.prompt_tokens;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    promptTokens,
    completionTokens: usage.completion_tokens,
    cachedTokens: Math.min(cached, promptTokens),
    nanodollars: null,
  };
}

/** Only what is there: an empty message is no news. */
function messageOf({ message, delta }: WireChoice): MessageDelta {
  const said = delta ?? message;
  const news: MessageDelta = {};
  if (said?.content) news.content = said.content;
  if (said?.reasoning_content) news.reasoning_content = said.reasoning_content;
  if (!said?.tool_calls?.length) return news;
  news.tool_calls = said.tool_calls.map((call, position) => {
    const { name, arguments: argumentText } = call.function ?? {};
    return {
      index: call.index ?? position,
      ...(call.id ? { id: call.id, type: 'function' as const } : {}),
      function: {
        ...(name ? { name } : {}),
        ...(typeof argumentText === 'string' ? { arguments: argumentText } : {}),
      },
    };
  });
  return news;
}

function logprobsOf({ logprobs }: WireChoice): ShownLogprob[] | null {
  if (!logprobs) return null;
  if ('tokens' in logprobs) {
    return logprobs.tokens.map((token, index) => ({
      ...shown(token, logprobs.token_logprobs[index] ?? 0),
      top: Object.entries(logprobs.top_logprobs?.[index] ?? {}).map(([text, logprob]) =>
        shown(text, logprob),
      ),
    }));
  }
  if (!logprobs.content) return null;
  return logprobs.content.map((entry) => ({
    ...shown(entry.token, entry.logprob, entry.bytes),
    top: (entry.top_logprobs ?? []).map((each) => shown(each.token, each.logprob, each.bytes)),
  }));
}

function shown(text: string, logprob: number, bytes?: readonly number[] | null) {
  return { token: UNKNOWN_TOKEN, piece: bytes ? Uint8Array.from(bytes) : Buffer.from(text), logprob };
}

function finishReasonOf(reason: string): FinishReason {
  switch (reason) {
    case 'length':
    case 'tool_calls':
    case 'content_filter':
    case 'cancelled':
      return reason;
    case 'max_tokens':
      return 'length';
    case 'function_call':
      return 'tool_calls';
    default:
      return 'stop';
  }
}
