import type { GuardReport } from '../generation/report.js';
import { shownBytes, visibleBytes } from '../generation/shown-token.js';
import type { FinishReason, GenerationEvent, ShownLogprob, Usage } from '../generation/types.js';
import type { VocabTable } from '../native/types.js';
import { type AnswerFormat, type Chunk, routeField, wireUsage } from './format.js';
import type { CompletionLogprobs } from './schemas/completions.js';
import { bytesText, charactersBegun, textOfTokens } from './token-text.js';

export interface CompletionFormatOptions {
  id: string;
  createdSeconds: number;
  choices: number; // per prompt
  /** The prompts to repeat before their answers, null for one known only as tokens; null: no echo. */
  echo: (string | null)[] | null;
  includeUsage: boolean;
}

interface Choice {
  text: string;
  logprobs: CompletionLogprobs | null;
  finishReason: FinishReason | null;
  guard: GuardReport | undefined;
  characters: number; // of the tokens so far, for text_offset
}

/** OpenAI's legacy completions. */
export class CompletionFormat implements AnswerFormat {
  readonly #options: CompletionFormatOptions;
  readonly #choices: Choice[] = [];
  #model = '';
  #vocab: VocabTable | null = null;

  constructor(options: CompletionFormatOptions) {
    this.#options = options;
  }

  chunks(event: GenerationEvent): Chunk[] {
    return this.#parts(event).map(([index, part]) => {
      const chunk: Chunk = this.#envelope([{ index, ...part }]);
      if (this.#options.includeUsage) chunk.usage = null;
      return chunk;
    });
  }

  usageChunk(usage: Usage): object {
    return Object.assign(this.#envelope([]), { usage: wireUsage(usage), ...routeField(usage) });
  }

  collect(event: GenerationEvent): void {
    for (const [index, part] of this.#parts(event)) {
      const choice = this.#choice(index);
      choice.text += part.text;
      choice.logprobs = joined(choice.logprobs, part.logprobs);
      choice.finishReason ??= part.finish_reason;
      choice.guard ??= part.guard;
    }
  }

  whole(usage: Usage): object {
    const choices = this.#choices.map(({ text, logprobs, finishReason, guard }, index) => {
      return { index, text, logprobs, finish_reason: finishReason, ...(guard ? { guard } : {}) };
    });
    return Object.assign(this.#envelope(choices), { usage: wireUsage(usage), ...routeField(usage) });
  }

  #envelope<Choice>(choices: Choice[]) {
    const { id, createdSeconds } = this.#options;
    return { id, object: 'text_completion', created: createdSeconds, model: this.#model, choices };
  }

  /** What an event adds, by choice. */
  #parts(event: GenerationEvent) {
    const part = (
      text: string,
      logprobs: CompletionLogprobs | null,
      finishReason: FinishReason | null,
      guard?: GuardReport,
    ) => ({ text, logprobs, finish_reason: finishReason, ...(guard ? { guard } : {}) });
    switch (event.type) {
      case 'queued':
        return [];
      case 'start':
        this.#model = event.model;
        this.#vocab = event.vocab;
        return [];
      case 'prompt': {
        if (this.#options.echo === null) return [];
        const text = this.#options.echo[event.prompt] ?? textOfTokens(this.#vocab, event.tokens);
        return Array.from({ length: this.#options.choices }, (_, choice) => {
          const index = event.prompt * this.#options.choices + choice;
          const logprobs = event.logprobs && this.#logprobs(index, event.logprobs, event.tokens);
          return [index, part(text, logprobs, null)] as const;
        });
      }
      case 'delta': {
        if (event.text === '' && event.logprobs === null) return [];
        const logprobs = event.logprobs && this.#logprobs(event.choice, event.logprobs, event.tokens);
        return [[event.choice, part(event.text, logprobs, null)] as const];
      }
      case 'done':
        return [[event.choice, part('', null, event.finishReason, event.guard)] as const];
    }
  }

  #logprobs(
    index: number,
    entries: readonly (ShownLogprob | null)[],
    tokens: ArrayLike<number>,
  ): CompletionLogprobs {
    const choice = this.#choice(index);
    const vocab = this.#vocab;
    const shown: CompletionLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
    for (const [position, entry] of entries.entries()) {
      const token = tokens[position]!;
      const bytes = shownBytes(vocab, entry ?? { token, logprob: 0 });
      shown.tokens.push(bytesText(bytes));
      shown.token_logprobs.push(entry?.logprob ?? null);
      shown.top_logprobs.push(entry && alternatives(vocab, entry));
      shown.text_offset.push(choice.characters);
      choice.characters += charactersBegun(vocab ? visibleBytes(vocab, token) : bytes);
    }
    return shown;
  }

  #choice(index: number): Choice {
    this.#choices[index] ??= {
      text: '',
      logprobs: null,
      finishReason: null,
      guard: undefined,
      characters: 0,
    };
    return this.#choices[index];
  }
}

/** The likeliest tokens, and the chosen one where it isn't among them. */
function alternatives(vocab: VocabTable | null, entry: ShownLogprob): Record<string, number> {
  const shown = new Map(entry.top.map((each) => [bytesText(shownBytes(vocab, each)), each.logprob]));
  return Object.fromEntries(shown.set(bytesText(shownBytes(vocab, entry)), entry.logprob));
}

/** Grows `before` in place: answers may have many thousand tokens. */
function joined(
  before: CompletionLogprobs | null,
  more: CompletionLogprobs | null,
): CompletionLogprobs | null {
  if (!before || !more) return before ?? more;
  before.tokens.push(...more.tokens);
  before.token_logprobs.push(...more.token_logprobs);
  before.top_logprobs.push(...more.top_logprobs);
  before.text_offset.push(...more.text_offset);
  return before;
}
