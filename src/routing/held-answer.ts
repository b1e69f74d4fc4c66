import type { GenerationEvent, GenerationSink } from '../generation/types.js';
import type { AnswerSample } from './quality/estimator.js';

/** Rough size of an event beside its text: a token, a log-probability, objects. */
const EVENT_BYTES = 64;

/**
 * An answer that is looked at before anybody gets it, or while they do. Kept up to a bound; past that it is given out as
 * it is, since holding back more could cost all memory.
 */
export class HeldAnswer {
  readonly choices: AnswerSample[] = [];
  readonly #sink: GenerationSink;
  readonly #maxBytes: number;
  readonly #withoutLogprobs: boolean;
  #events: GenerationEvent[] = [];
  #bytes = 0;
  #isOut: boolean;

  /** `isOut`: given out from the start. `withoutLogprobs`: they were asked for our sake only. */
  constructor(sink: GenerationSink, options: { maxBytes: number; isOut: boolean; withoutLogprobs: boolean }) {
    this.#sink = sink;
    this.#maxBytes = options.maxBytes;
    this.#isOut = options.isOut;
    this.#withoutLogprobs = options.withoutLogprobs;
  }

  /** Whether anything of it has been given out. */
  get isOut(): boolean {
    return this.#isOut;
  }

  readonly sink: GenerationSink = (event) => {
    this.#look(event);
    const shown = this.#withoutLogprobs && event.type === 'delta' ? { ...event, logprobs: null } : event;
    if (this.#isOut || shown.type === 'queued') return this.#sink(shown);
    this.#events.push(shown);
    this.#bytes += EVENT_BYTES + (shown.type === 'delta' ? 4 * shown.text.length : 0);
    if (this.#bytes > this.#maxBytes) this.giveOut();
  };

  giveOut(): void {
    this.#isOut = true;
    for (const event of this.#events) this.#sink(event);
    this.#events = [];
  }

  #look(event: GenerationEvent): void {
    if (event.type !== 'delta' && event.type !== 'done') return;
    this.choices[event.choice] ??= { text: '', logprobs: [], hasToolCalls: false, finishReason: 'stop' };
    const choice = this.choices[event.choice]!;
    if (event.type === 'done') {
      choice.finishReason = event.finishReason;
      return;
    }
    choice.text += event.message?.content ?? (event.message ? '' : event.text);
    if (event.message?.tool_calls?.length) choice.hasToolCalls = true;
    for (const { logprob } of event.logprobs ?? []) choice.logprobs.push(logprob);
  }
}
