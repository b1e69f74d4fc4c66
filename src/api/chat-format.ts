import type { GuardReport } from '../generation/report.js';
import { shownBytes } from '../generation/shown-token.js';
import type {
  FinishReason,
  GenerationEvent,
  MessageDelta,
  ShownLogprob,
  ShownToken,
  ToolCallDelta,
  Usage,
} from '../generation/types.js';
import type { VocabTable } from '../native/types.js';
import { type AnswerFormat, type ChoiceChunk, type Chunk, routeField, wireUsage } from './format.js';
import type { ChatLogprobs } from './schemas/chat.js';
import { bytesText } from './token-text.js';

export interface ChatFormatOptions {
  id: string;
  createdSeconds: number;
  includeUsage: boolean;
}

interface Choice {
  content: string;
  reasoning: string;
  toolCalls: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
  logprobs: ChatLogprobs | null;
  finishReason: FinishReason | null;
  guard: GuardReport | undefined;
  begun: boolean; // a stream has sent its role
}

/** OpenAI's chat completions. */
export class ChatFormat implements AnswerFormat {
  readonly #options: ChatFormatOptions;
  readonly #choices: Choice[] = [];
  #model = '';
  #vocab: VocabTable | null = null;

  constructor(options: ChatFormatOptions) {
    this.#options = options;
  }

  chunks(event: GenerationEvent): Chunk[] {
    this.#follow(event);
    if (event.type === 'delta') return this.#deltaChunks(event);
    if (event.type === 'done') return [this.#chunk(event.choice, {}, null, event.finishReason, event.guard)];
    return [];
  }

  usageChunk(usage: Usage): object {
    const chunk = this.#envelope('chat.completion.chunk', []);
    return Object.assign(chunk, { usage: wireUsage(usage), ...routeField(usage) });
  }

  collect(event: GenerationEvent): void {
    this.#follow(event);
    if (event.type === 'done') {
      const { finishReason, guard } = event;
      Object.assign(this.#choice(event.choice), { finishReason, guard });
    }
    if (event.type !== 'delta') return;
    const choice = this.#choice(event.choice);
    choice.content += event.message?.content ?? '';
    choice.reasoning += event.message?.reasoning_content ?? '';
    for (const call of event.message?.tool_calls ?? []) addToolCall(choice.toolCalls, call);
    if (!event.logprobs) return;
    choice.logprobs ??= { content: [] };
    choice.logprobs.content.push(...this.#logprobs(event.logprobs).content);
  }

  whole(usage: Usage): object {
    const choices = this.#choices.map((choice, index) => {
      const { content, reasoning, toolCalls, logprobs, finishReason, guard } = choice;
      const message = {
        role: 'assistant',
        content: content === '' && toolCalls.length > 0 ? null : content,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
      };
      return { index, message, logprobs, finish_reason: finishReason, ...(guard ? { guard } : {}) };
    });
    const answer = this.#envelope('chat.completion', choices);
    return Object.assign(answer, { usage: wireUsage(usage), ...routeField(usage) });
  }

  #follow(event: GenerationEvent): void {
    if (event.type !== 'start') return;
    this.#model = event.model;
    this.#vocab = event.vocab;
  }

  #deltaChunks(event: Extract<GenerationEvent, { type: 'delta' }>): Chunk[] {
    const { content = '', reasoning_content = '', tool_calls = [] } = event.message ?? {};
    if (content === '' && reasoning_content === '' && tool_calls.length === 0 && !event.logprobs) return [];
    const delta: MessageDelta = {};
    if (content !== '') delta.content = content;
    if (reasoning_content !== '') delta.reasoning_content = reasoning_content;
    if (tool_calls.length > 0) delta.tool_calls = tool_calls;
    return [this.#chunk(event.choice, delta, event.logprobs && this.#logprobs(event.logprobs), null)];
  }

  /** The first chunk of a choice carries its role. */
  #chunk(
    index: number,
    delta: MessageDelta,
    logprobs: ChatLogprobs | null,
    finishReason: FinishReason | null,
    guard?: GuardReport,
  ): Chunk {
    const choice = this.#choice(index);
    const news = choice.begun ? delta : opening(delta);
    choice.begun = true;
    const part: ChoiceChunk = { index, delta: news, logprobs, finish_reason: finishReason };
    if (guard) part.guard = guard;
    const chunk: Chunk = this.#envelope('chat.completion.chunk', [part]);
    if (this.#options.includeUsage) chunk.usage = null;
    return chunk;
  }

  #envelope<Choice>(object: string, choices: Choice[]) {
    const { id, createdSeconds } = this.#options;
    return { id, object, created: createdSeconds, model: this.#model, choices };
  }

  #logprobs(entries: readonly ShownLogprob[]): ChatLogprobs {
    const shown = (each: ShownToken) => {
      const bytes = shownBytes(this.#vocab, each);
      return { token: bytesText(bytes), logprob: each.logprob, bytes: Array.from(bytes) };
    };
    return { content: entries.map((entry) => ({ ...shown(entry), top_logprobs: entry.top.map(shown) })) };
  }

  #choice(index: number): Choice {
    this.#choices[index] ??= {
      content: '',
      reasoning: '',
      toolCalls: [],
      logprobs: null,
      finishReason: null,
      guard: undefined,
      begun: false,
    };
    return this.#choices[index];
  }
}

function opening(delta: MessageDelta): NonNullable<ChoiceChunk['delta']> {
  return { role: 'assistant', ...(delta.tool_calls ? {} : { content: '' }), ...delta };
}

function addToolCall(calls: Choice['toolCalls'], delta: ToolCallDelta): void {
  const { index, id = '', function: part } = delta;
  calls[index] ??= { id, type: 'function', function: { name: part.name ?? '', arguments: '' } };
  calls[index].function.arguments += part.arguments ?? '';
}
