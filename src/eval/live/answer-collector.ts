import type { AnswerObserver } from '../../generation/observer.js';
import type { FinishReason, GenerationEvent, Usage, ValidatedRequest } from '../../generation/types.js';
import type { Message } from '../suite/schema.js';
import type { Question } from '../suite/suite.js';
import type { Exchange } from './sample.js';

/** Puts a request's first answer together while it goes out. */
export class AnswerCollector implements AnswerObserver {
  readonly #request: ValidatedRequest;
  readonly #options: { maxCharacters: number; startedAtMs: number; now: () => number };
  readonly #onEnd: (exchange: Exchange, request: ValidatedRequest) => void;
  #model = '';
  #route: Exchange['route'] = null;
  #variant: Exchange['variant'] = null;
  #text = '';
  #finishReason: FinishReason = 'stop';
  readonly #guardWarnings = new Set<string>();

  constructor(
    request: ValidatedRequest,
    options: { maxCharacters: number; startedAtMs: number; now: () => number },
    onEnd: (exchange: Exchange, request: ValidatedRequest) => void,
  ) {
    this.#request = request;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  event(event: GenerationEvent): void {
    for (const warning of warningsOf(event)) this.#guardWarnings.add(warning);
    if (event.type === 'start') {
      this.#model = event.model;
      this.#route = event.route?.name ?? null;
      this.#variant = event.route?.variant ?? null;
    } else if (event.type === 'delta' && event.choice === 0) {
      if (this.#text.length <= this.#options.maxCharacters)
        this.#text += event.message?.content ?? event.text;
    } else if (event.type === 'done' && event.choice === 0) {
      this.#finishReason = event.finishReason;
    }
  }

  finished(usage: Usage): void {
    const question = questionOf(this.#request);
    const isWhole = this.#text.length <= this.#options.maxCharacters && this.#finishReason !== 'cancelled';
    if (question === null || !isWhole) return;
    const { id, tenant, caller, maxTokens } = this.#request;
    const nowMs = this.#options.now();
    this.#onEnd(
      {
        requestId: id,
        tenant,
        keyId: caller.keyId,
        atMs: nowMs,
        route: this.#route,
        variant: this.#variant,
        model: this.#model,
        question,
        answer: this.#text,
        finishReason: this.#finishReason,
        maxTokens,
        latencyMs: nowMs - this.#options.startedAtMs,
        nanodollars: usage.nanodollars ?? usage.route?.nanodollars ?? null,
        quality: usage.route?.quality ?? null,
        cacheLevel: usage.cache?.level ?? null,
        guardWarnings: [...this.#guardWarnings],
      },
      this.#request,
    );
  }
}

function warningsOf(event: GenerationEvent): readonly string[] {
  if (event.type === 'start') return event.guardWarnings ?? [];
  return event.type === 'done' ? (event.guard?.warnings ?? []) : [];
}

/** Null where it isn't text: token ids, or a prompt that only echoes. */
function questionOf({ input }: ValidatedRequest): Question | null {
  if (input.kind === 'chat') {
    const messages = input.messages.map(({ role, content }) => ({
      role: role as Message['role'],
      content: content ?? '',
    }));
    return { mode: 'chat', messages };
  }
  const [prompt] = input.prompts;
  return typeof prompt === 'string' && !input.echo ? { mode: 'completion', prompt } : null;
}
