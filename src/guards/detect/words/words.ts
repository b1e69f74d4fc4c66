import { Vocabulary } from './vocabulary.js';

export const vocabulary = new Vocabulary();

/** What is said of a word. */
export const Said = {
  quoted: 1, // in quotation marks or code: rather spoken of than said
  startsSentence: 2,
} as const;

/**
 * The words of a text, by columns. A word is a term of the vocabulary (lower case, without accents), whose number holds until the next text is read;
 * `starts` and `ends` are UTF-16 units of the text.
 */
export class Words {
  constructor(
    readonly terms: Int32Array,
    readonly starts: Int32Array,
    readonly ends: Int32Array,
    readonly said: Uint8Array,
  ) {}

  get length(): number {
    return this.terms.length;
  }

  isQuoted(index: number): boolean {
    return (this.said[index]! & Said.quoted) !== 0;
  }

  startsSentence(index: number): boolean {
    return (this.said[index]! & Said.startsSentence) !== 0;
  }

  /** As it is in the vocabulary. */
  textOf(index: number): string {
    return vocabulary.textOf(this.terms[index]!);
  }

  texts(): string[] {
    return Array.from(this.terms, (_, index) => this.textOf(index));
  }
}

/** Words one after the other. */
export class WordWriter {
  length = 0;
  #terms = new Int32Array(1_024);
  #starts = new Int32Array(1_024);
  #ends = new Int32Array(1_024);
  #said = new Uint8Array(1_024);

  add(term: number, start: number, end: number, said: number): void {
    if (this.length === this.#terms.length) this.#grow();
    this.#terms[this.length] = term;
    this.#starts[this.length] = start;
    this.#ends[this.length] = end;
    this.#said[this.length] = said;
    this.length += 1;
  }

  /** All from there on. */
  quote(from: number): void {
    for (let index = from; index < this.length; index += 1) this.#said[index]! |= Said.quoted;
  }

  /** What was written, and begins anew. */
  take(): Words {
    const { length } = this;
    this.length = 0;
    return new Words(
      this.#terms.slice(0, length),
      this.#starts.slice(0, length),
      this.#ends.slice(0, length),
      this.#said.slice(0, length),
    );
  }

  #grow(): void {
    const more = (column: Int32Array) => {
      const wider = new Int32Array(2 * column.length);
      wider.set(column);
      return wider;
    };
    this.#terms = more(this.#terms);
    this.#starts = more(this.#starts);
    this.#ends = more(this.#ends);
    const said = new Uint8Array(2 * this.#said.length);
    said.set(this.#said);
    this.#said = said;
  }
}
