import type { GenerationEvent, MessageDelta } from '../generation/types.js';

type Delta = Extract<GenerationEvent, { type: 'delta' }>;

/** Deltas are joined up to so many tokens: a stream from the cache says the same in fewer pieces. */
const TOKENS_PER_DELTA = 32;

/** Sizes in memory and on the wire, roughly: an object or a chunk's envelope; a token with its log-probability. */
const EVENT_BYTES = 256;
const LOGPROB_BYTES = 128;

/** Keeps the events of an answer, from `start` on, up to a size. */
export class Recording {
  readonly #maxBytes: number;
  readonly #keepsPrompts: boolean;
  readonly #openDeltas = new Map<number, Delta>(); // by choice: may still grow
  #events: GenerationEvent[] = [];
  #bytes = 0;
  #isWhole = true;
  #hasVocab = false;
  #showsTokens = false;

  /** `keepsPrompts`: the answer shows the prompts' tokens. */
  constructor(options: { maxBytes: number; keepsPrompts: boolean }) {
    this.#maxBytes = options.maxBytes;
    this.#keepsPrompts = options.keepsPrompts;
    this.#showsTokens = options.keepsPrompts;
  }

  get events(): readonly GenerationEvent[] {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False once it grew too large: nothing is kept then. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get needsVocab(): boolean {
    return this.#hasVocab && this.#showsTokens;
  }

  add(event: GenerationEvent): void {
    if (!this.#isWhole || event.type === 'queued') return;
    this.#bytes += bytesOf(event, this.#keepsPrompts);
    if (this.#bytes > this.#maxBytes) {
      this.#isWhole = false;
      this.#events = [];
      this.#openDeltas.clear();
      return;
    }
    this.#keep(event);
  }

  #keep(event: Exclude<GenerationEvent, { type: 'queued' }>): void {
    switch (event.type) {
      case 'start':
        this.#hasVocab = event.vocab !== null;
        this.#events.push({ ...event, vocab: null, route: null, quota: {} });
        break;
      case 'prompt':
        this.#showsTokens ||= event.logprobs !== null;
        this.#events.push(this.#keepsPrompts ? event : { ...event, tokens: new Int32Array(0) });
        break;
      case 'delta':
        this.#showsTokens ||= event.logprobs !== null;
        this.#keepDelta(event);
        break;
      case 'done':
        this.#events.push(event);
    }
  }

  #keepDelta(event: Delta): void {
    const open = this.#openDeltas.get(event.choice);
    if (open && open.tokens.length + event.tokens.length <= TOKENS_PER_DELTA) {
      extend(open, event);
      return;
    }
    const { logprobs, tokens, message } = event;
    const kept = {
      ...event,
      tokens: [...tokens],
      logprobs: logprobs && [...logprobs],
      message: message && { ...message },
    };
    this.#openDeltas.set(event.choice, kept);
    this.#events.push(kept);
  }
}

function extend(delta: Delta, more: Delta): void {
  delta.text += more.text;
  delta.tokens.push(...more.tokens);
  if (more.logprobs) delta.logprobs = [...(delta.logprobs ?? []), ...more.logprobs];
  if (more.message) delta.message = joined(delta.message ?? {}, more.message);
}

function joined(message: MessageDelta, more: MessageDelta): MessageDelta {
  if (more.content !== undefined) message.content = (message.content ?? '') + more.content;
  if (more.reasoning_content !== undefined)
    message.reasoning_content = (message.reasoning_content ?? '') + more.reasoning_content;
  if (more.tool_calls) message.tool_calls = [...(message.tool_calls ?? []), ...more.tool_calls];
  return message;
}

function bytesOf(event: GenerationEvent, keepsPrompts: boolean): number {
  switch (event.type) {
    case 'prompt': {
      const tokenBytes = keepsPrompts ? event.tokens.byteLength : 0;
      return EVENT_BYTES + tokenBytes + logprobBytes(event.logprobs);
    }
    case 'delta': {
      const { text, message, tokens, logprobs } = event;
      const envelope = Math.ceil((EVENT_BYTES * tokens.length) / TOKENS_PER_DELTA);
      const characters = text.length + (message ? charactersOf(message) : 0);
      return envelope + 2 * characters + 8 * tokens.length + logprobBytes(logprobs);
    }
    default:
      return EVENT_BYTES;
  }
}

function charactersOf({ content = '', reasoning_content = '', tool_calls }: MessageDelta): number {
  const calls = tool_calls ? JSON.stringify(tool_calls).length : 0;
  return content.length + reasoning_content.length + calls;
}

function logprobBytes(logprobs: readonly ({ top: readonly unknown[] } | null)[] | null): number {
  let entries = 0;
  for (const entry of logprobs ?? []) entries += 1 + (entry?.top.length ?? 0);
  return entries * LOGPROB_BYTES;
}
