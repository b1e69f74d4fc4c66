/** Longest line: an event larger than this isn't one of a language model. */
const MAX_LINE_CHARACTERS = 4 * 2 ** 20;

/** Server-sent events from bytes as they come: calls back with each event's data. Throws RangeError where a line doesn't end. */
export class EventParser {
  readonly #onData: (data: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #data: string[] = [];

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  push(chunk: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    let begin = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      this.#line(text.slice(begin, text[end - 1] === '\r' ? end - 1 : end));
      begin = end + 1;
    }
    this.#rest = begin === 0 ? text : text.slice(begin);
    if (this.#rest.length > MAX_LINE_CHARACTERS) throw new RangeError('an event is too long');
  }

  /** An empty line ends an event; comments and other fields are passed over (HTML standard, 9.2.6). */
  #line(line: string): void {
    if (line.startsWith('data:')) {
      this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
      return;
    }
    if (line !== '' || this.#data.length === 0) return;
    const data = this.#data.length === 1 ? this.#data[0]! : this.#data.join('\n');
    this.#data = [];
    this.#onData(data);
  }
}
