import type { AnswerObserver } from '../../generation/observer.js';
import type { FinishReason, GenerationEvent, Usage, ValidatedRequest } from '../../generation/types.js';
import { canBeQuestion, charactersOf, withoutTools } from './question.js';
import type { EndedExchange, Exchange } from './sample.js';

export interface CollectorOptions {
  maxCharacters: number; // of question and answer, each
  now: () => number;
  onEnd: (exchange: EndedExchange) => void;
  onTooLong: () => void;
}

/** Puts a request's first answer together while it goes out. */
export class AnswerCollector implements AnswerObserver {
  readonly #request: ValidatedRequest;
  readonly #options: CollectorOptions;
  readonly #startedAtMs: number;
  #model = '';
  #route: Exchange['route'] = null;
  #variant: Exchange['variant'] = null;
  #text = '';
  #finishReason: FinishReason = 'stop';
  readonly #guardWarnings: string[] = [];

  constructor(request: ValidatedRequest, options: CollectorOptions) {
    this.#request = request;
    this.#options = options;
    this.#startedAtMs = options.now();
  }

  event(event: GenerationEvent): void {
    if (event.type === 'start') {
      this.#model = event.model;
      this.#route = event.route?.name ?? null;
      this.#variant = event.route?.variant ?? null;
      this.#warned(event.guardWarnings);
    } else if (event.type === 'delta' && event.choice === 0) {
      if (this.#text.length <= this.#options.maxCharacters)
        this.#text += event.message?.content ?? event.text;
    } else if (event.type === 'done') {
      if (event.choice === 0) this.#finishReason = event.finishReason;
      this.#warned(event.guard?.warnings);
    }
  }

  finished(usage: Usage): void {
    const { id, tenant, caller, input, constraint, maxTokens, stop } = this.#request;
    const { maxCharacters, now, onEnd, onTooLong } = this.#options;
    if (!canBeQuestion(input) || this.#finishReason === 'cancelled') return;
    if (this.#text.length > maxCharacters || charactersOf(input) > maxCharacters) {
      onTooLong();
      return;
    }
    const nowMs = now();
    onEnd({
      caller,
      input: withoutTools(input),
      constraint,
      requestId: id,
      tenant,
      keyId: caller.keyId,
      atMs: nowMs,
      route: this.#route,
      variant: this.#variant,
      model: this.#model,
      answer: this.#text,
      finishReason: this.#finishReason,
      maxTokens,
      stop,
      latencyMs: nowMs - this.#startedAtMs,
      nanodollars: usage.nanodollars ?? usage.route?.nanodollars ?? null,
      quality: usage.route?.quality ?? null,
      cacheLevel: usage.cache?.level ?? null,
      guardWarnings: this.#guardWarnings,
    });
  }

  #warned(warnings: readonly string[] | undefined): void {
    for (const warning of warnings ?? [])
      if (!this.#guardWarnings.includes(warning)) this.#guardWarnings.push(warning);
  }
}
