import { randomUUID } from 'node:crypto';
import { type MessageProgress, noMessage } from '../generation/progress.js';
import type { GenerationEvent, GenerationSink, MessageDelta, ToolCallDelta } from '../generation/types.js';
import type { TextService } from '../text/text-service.js';
import type { ResumedMessage } from './resume.js';

/** What parseChat yields; each field may be missing. */
interface ParsedMessage {
  content?: string | null;
  reasoning_content?: string | null;
  tool_calls?: { id?: string; function: { name: string; arguments: string } }[];
}

type DeltaEvent = Extract<GenerationEvent, { type: 'delta' }>;
type DoneEvent = Extract<GenerationEvent, { type: 'done' }>;

/** Turns generated text into messages. Events that it gives on may come later than they arrive. */
export interface MessageStage {
  readonly sink: GenerationSink;
  /** Waits for the events that are still to come. */
  settled(): Promise<void>;
  /** No event comes after this. */
  discard(): void;
}

/** All text is content: nothing to parse, nothing to wait for. */
export function plainMessages(sink: GenerationSink): MessageStage {
  return {
    sink: (event) => sink(event.type === 'delta' ? { ...event, message: { content: event.text } } : event),
    settled: () => Promise.resolve(),
    discard: () => undefined,
  };
}

/**
 * Reads tool calls and reasoning out of the text as it comes. Each parse sees a choice's whole text, so a parse waits for
 * the one before and takes all that has arrived meanwhile: at most one parse a choice is under way.
 */
export function parsedMessages(
  text: TextService,
  syntax: string,
  stream: boolean,
  sink: GenerationSink,
  resumed: ReadonlyMap<number, ResumedMessage> = new Map(),
): MessageStage {
  const choices = new Map<number, ChoiceParser>();
  let discarded = false;
  const forward: GenerationSink = (event) => {
    if (!discarded) sink(event);
  };
  const parserOf = (choice: number) => {
    const parser =
      choices.get(choice) ?? new ChoiceParser(text, syntax, stream, choice, forward, resumed.get(choice));
    choices.set(choice, parser);
    return parser;
  };
  return {
    sink: (event) => {
      if (event.type === 'delta') parserOf(event.choice).push(event);
      else if (event.type === 'done') parserOf(event.choice).finish(event);
      else forward(event);
    },
    settled: async () => {
      await Promise.all([...choices.values()].map((parser) => parser.settled()));
    },
    discard: () => {
      discarded = true;
    },
  };
}

class ChoiceParser {
  readonly #text: TextService;
  readonly #syntax: string;
  readonly #stream: boolean;
  readonly #choice: number;
  readonly #sink: GenerationSink;
  #generated: string;
  #unsent: DeltaEvent[] = []; // tokens and log-probabilities that wait for the next delta
  readonly #sent: SentMessage;
  #done: DoneEvent | null = null;
  #pump: Promise<void> | null = null;

  constructor(
    text: TextService,
    syntax: string,
    stream: boolean,
    choice: number,
    sink: GenerationSink,
    resumed: ResumedMessage = { text: '', message: noMessage() },
  ) {
    this.#text = text;
    this.#syntax = syntax;
    this.#stream = stream;
    this.#choice = choice;
    this.#sink = sink;
    this.#generated = resumed.text;
    this.#sent = new SentMessage(resumed.message);
  }

  push(event: DeltaEvent): void {
    this.#generated += event.text;
    this.#unsent.push(event);
    if (this.#stream) this.#pump ??= this.#run();
  }

  finish(event: DoneEvent): void {
    this.#done = event;
    this.#pump ??= this.#run();
  }

  async settled(): Promise<void> {
    while (this.#pump !== null) await this.#pump;
  }

  async #run(): Promise<void> {
    try {
      while (this.#done === null && this.#unsent.length > 0) {
        const events = this.#unsent;
        this.#unsent = [];
        this.#emit(await this.#parse(true), events);
      }
      if (this.#done === null) return;
      const final = (await this.#parse(false)) ?? this.#asContent();
      this.#emit(final, this.#unsent);
      const { finishReason } = this.#done;
      const calledTools = this.#sent.toolCalls > 0 && finishReason === 'stop';
      this.#sink({ ...this.#done, finishReason: calledTools ? 'tool_calls' : finishReason });
    } finally {
      this.#pump = null;
    }
  }

  /** Null where the text isn't what the syntax asks for; a model may always write nonsense. */
  async #parse(partial: boolean): Promise<ParsedMessage | null> {
    try {
      return JSON.parse(await this.#text.parseChat(this.#generated, partial, this.#syntax)) as ParsedMessage;
    } catch {
      return null;
    }
  }

  #asContent(): ParsedMessage | null {
    return this.#sent.empty ? { content: this.#generated } : null;
  }

  #emit(parsed: ParsedMessage | null, events: readonly DeltaEvent[]): void {
    const message = parsed ? this.#sent.advance(parsed) : {};
    const tokens = events.flatMap((event) => event.tokens);
    const logprobs = events.some((event) => event.logprobs)
      ? events.flatMap((event) => event.logprobs ?? [])
      : null;
    if (Object.keys(message).length === 0 && tokens.length === 0) return;
    const text = message.content ?? '';
    this.#sink({ type: 'delta', choice: this.#choice, text, message, tokens, logprobs });
  }
}

/** What a client has of a message, so that only what is new is sent. What was sent can't be taken back. */
class SentMessage {
  #content: string;
  #reasoning: string;
  readonly #calls: { arguments: string }[];

  constructor({ content, reasoning, toolCalls }: MessageProgress) {
    this.#content = content;
    this.#reasoning = reasoning;
    this.#calls = toolCalls.map((call) => ({ arguments: call.arguments }));
  }

  get empty(): boolean {
    return this.#content === '' && this.#reasoning === '' && this.#calls.length === 0;
  }

  get toolCalls(): number {
    return this.#calls.length;
  }

  advance(parsed: ParsedMessage): MessageDelta {
    const delta: MessageDelta = {};
    const content = addition(this.#content, parsed.content);
    const reasoning = addition(this.#reasoning, parsed.reasoning_content);
    const calls = (parsed.tool_calls ?? []).flatMap((call, index) => this.#advanceCall(index, call));
    if (content !== '') delta.content = content;
    if (reasoning !== '') delta.reasoning_content = reasoning;
    if (calls.length > 0) delta.tool_calls = calls;
    this.#content += content;
    this.#reasoning += reasoning;
    return delta;
  }

  #advanceCall(index: number, call: NonNullable<ParsedMessage['tool_calls']>[number]): ToolCallDelta[] {
    const sent = this.#calls[index];
    if (!sent) {
      this.#calls[index] = { arguments: call.function.arguments };
      const id = call.id || `call_${randomUUID().replaceAll('-', '')}`;
      return [{ index, id, type: 'function', function: { ...call.function } }];
    }
    const more = addition(sent.arguments, call.function.arguments);
    sent.arguments += more;
    return more === '' ? [] : [{ index, function: { arguments: more } }];
  }
}

/** The part of `now` after `before`; nothing where a partial parse has changed its mind about what came before. */
function addition(before: string, now: string | null | undefined): string {
  return now?.startsWith(before) ? now.slice(before.length) : '';
}
