import type { GenerationEvent, MessageDelta, ToolCallDelta } from '../../generation/types.js';
import { Channel, type Piece } from './channel.js';

type DeltaEvent = Extract<GenerationEvent, { type: 'delta' }>;

/** What of an answer is given out next. */
export type Part = Pick<DeltaEvent, 'text' | 'message'>;

/** A choice's texts, each a channel: its content, its reasoning and the arguments of each call. */
export class AnswerParts {
  readonly content = new Channel();
  readonly #reasoning = new Channel();
  readonly #calls: Channel[] = [];
  #callHeads: ToolCallDelta[] = []; // not given out yet; nothing in them is checked
  #hasMessage = false;

  append({ text, message }: DeltaEvent): void {
    if (message === null) {
      this.content.append(text);
      return;
    }
    this.#hasMessage = true;
    this.content.append(message.content ?? '');
    this.#reasoning.append(message.reasoning_content ?? '');
    for (const { function: part, ...call } of message.tool_calls ?? []) {
      this.#calls[call.index] ??= new Channel();
      this.#calls[call.index]!.append(part.arguments ?? '');
      if (part.name !== undefined)
        this.#callHeads.push({ ...call, function: { name: part.name, arguments: '' } });
    }
  }

  get channels(): Channel[] {
    return [this.content, this.#reasoning, ...this.#calls];
  }

  /** The pieces that leave each channel, as one part of the answer. Null: nothing leaves. */
  part(leaving: ReadonlyMap<Channel, Piece[]>): Part | null {
    const shown = (channel: Channel) => (leaving.get(channel) ?? []).map((piece) => piece.shown).join('');
    const text = shown(this.content);
    const reasoning = shown(this.#reasoning);
    const calls = this.#callHeads;
    this.#callHeads = [];
    for (const [index, channel] of this.#calls.entries()) {
      const more = shown(channel);
      if (more !== '') calls.push({ index, function: { arguments: more } });
    }
    if (text === '' && reasoning === '' && calls.length === 0) return null;
    if (!this.#hasMessage) return { text, message: null };
    const message: MessageDelta = {};
    if (text !== '') message.content = text;
    if (reasoning !== '') message.reasoning_content = reasoning;
    if (calls.length > 0) message.tool_calls = calls;
    return { text, message };
  }

  /** A part that says something of our own. */
  saying(text: string): Part {
    return { text, message: this.#hasMessage ? { content: text } : null };
  }
}
