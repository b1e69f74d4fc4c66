import type { GuardReport } from '../generation/report.js';
import type { FinishReason, GenerationEvent } from '../generation/types.js';
import type { Generation } from './generation.js';
import { wireTrimmed } from './trimmed.js';

/** A generation's events as messages of the socket. */
export class SocketAnswer {
  readonly #id: string;
  readonly #generation: Generation;
  readonly #choices: {
    index: number;
    finish_reason: FinishReason;
    stop_sequence: string | null;
    guard?: GuardReport;
  }[] = [];
  #model = '';
  #warning: string | null = null;
  #guardWarnings: readonly string[] = [];
  #trimmed = {};

  constructor(id: string, generation: Generation) {
    this.#id = id;
    this.#generation = generation;
  }

  tokens(event: GenerationEvent): object[] {
    if (event.type === 'start') {
      this.#model = event.model;
      this.#warning = event.warning;
      this.#guardWarnings = event.guardWarnings ?? [];
      this.#trimmed = wireTrimmed(event.trimmed);
    }
    if (event.type === 'queued') {
      return [{ type: 'queued', id: this.#id, position: event.position, estimate_ms: event.estimateMs }];
    }
    const chunks = this.#generation.format.chunks(event);
    if (event.type === 'done') {
      const { choice: index, finishReason, stopSequence, guard } = event;
      this.#choices.push({
        index,
        finish_reason: finishReason,
        stop_sequence: stopSequence,
        ...(guard ? { guard } : {}),
      });
      return [];
    }
    return chunks.flatMap((chunk) =>
      chunk.choices.map(({ index, text, delta, logprobs }) => {
        const { role: _, content, ...rest } = delta ?? {};
        return {
          type: 'token',
          id: this.#id,
          index,
          text: text ?? content ?? '',
          ...rest,
          ...(logprobs ? { logprobs } : {}),
        };
      }),
    );
  }

  done(): object {
    return {
      type: 'done',
      id: this.#id,
      request_id: this.#generation.request.id,
      model: this.#model,
      choices: this.#choices.toSorted((a, b) => a.index - b.index),
      ...(this.#warning === null ? {} : { warning: this.#warning }),
      ...(this.#guardWarnings.length === 0 ? {} : { guard_warnings: this.#guardWarnings }),
      ...this.#trimmed,
    };
  }
}
