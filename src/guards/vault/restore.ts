import type { GenerationEvent, GenerationSink, MessageDelta } from '../../generation/types.js';
import type { Vault } from './vault.js';

type DeltaEvent = Extract<GenerationEvent, { type: 'delta' }>;

/** Longer than any placeholder: a bracket that is followed by so much else doesn't begin one. */
const MAX_PLACEHOLDER = 64;

/** Puts hidden values back into an answer. Where a placeholder is split over tokens, its beginning waits for the rest. */
export function restoring(vault: Vault, sink: GenerationSink): GenerationSink {
  const choices = new Map<number, ChoiceRestorer>();
  return (event) => {
    if (event.type !== 'delta' && event.type !== 'done') return sink(event);
    const restorer = choices.get(event.choice) ?? new ChoiceRestorer(vault);
    choices.set(event.choice, restorer);
    if (event.type === 'delta') return sink(restorer.push(event));
    const rest = restorer.flush();
    if (rest) sink({ type: 'delta', choice: event.choice, tokens: [], logprobs: null, ...rest });
    sink(event);
  };
}

class ChoiceRestorer {
  readonly #content: Restorer;
  readonly #reasoning: Restorer;
  readonly #calls: Restorer[] = [];
  readonly #vault: Vault;
  #hasMessage = false;

  constructor(vault: Vault) {
    this.#vault = vault;
    this.#content = new Restorer(vault);
    this.#reasoning = new Restorer(vault);
  }

  push(event: DeltaEvent): DeltaEvent {
    if (event.message === null) return { ...event, text: this.#content.push(event.text) };
    this.#hasMessage = true;
    const { content, reasoning_content, tool_calls } = event.message;
    const message: MessageDelta = {};
    if (content !== undefined) message.content = this.#content.push(content);
    if (reasoning_content !== undefined) message.reasoning_content = this.#reasoning.push(reasoning_content);
    if (tool_calls !== undefined) {
      message.tool_calls = tool_calls.map((call) => {
        this.#calls[call.index] ??= new Restorer(this.#vault, insideJson);
        const part = this.#calls[call.index]!.push(call.function.arguments ?? '');
        return { ...call, function: { ...call.function, arguments: part } };
      });
    }
    return { ...event, text: message.content ?? '', message };
  }

  /** What still waited; null: nothing. */
  flush(): { text: string; message: MessageDelta | null } | null {
    const text = this.#content.flush();
    const reasoning = this.#reasoning.flush();
    const calls = this.#calls.flatMap((restorer, index) => {
      const rest = restorer.flush();
      return rest === '' ? [] : [{ index, function: { arguments: rest } }];
    });
    if (text === '' && reasoning === '' && calls.length === 0) return null;
    if (!this.#hasMessage) return { text, message: null };
    const message = {
      ...(text === '' ? {} : { content: text }),
      ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
    return { text, message };
  }
}

/** One text that goes on. */
class Restorer {
  readonly #vault: Vault;
  readonly #shown: (value: string) => string;
  #held = '';

  constructor(vault: Vault, shown = (value: string) => value) {
    this.#vault = vault;
    this.#shown = shown;
  }

  push(text: string): string {
    const all = this.#held + text;
    const open = all.lastIndexOf('[');
    const isHeld = open >= 0 && all.length - open < MAX_PLACEHOLDER && this.#vault.hasPrefix(all.slice(open));
    const isWhole = isHeld && this.#vault.has(all.slice(open));
    const end = isHeld && !isWhole ? open : all.length;
    this.#held = all.slice(end);
    return this.#restored(all.slice(0, end));
  }

  flush(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  #restored(text: string): string {
    if (!text.includes('[')) return text;
    return text.replaceAll(/\[[A-Z0-9_]+\]/g, (placeholder) => {
      const value = this.#vault.reveal(placeholder);
      return value === undefined ? placeholder : this.#shown(value);
    });
  }
}

function insideJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}
