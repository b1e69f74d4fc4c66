import { Pieces } from './mapped-pieces.js';

export interface Span {
  start: number;
  end: number;
}

/** A rewritten text whose every UTF-16 unit knows which span of the original it stands for. */
export class MappedText {
  #units: Uint16Array | null;

  private constructor(
    readonly text: string,
    units: Uint16Array | null,
    private readonly source: MappedText | null, // null: it is the original itself
    private readonly pieces: Pieces,
  ) {
    this.#units = units;
  }

  static identity(text: string): MappedText {
    return new MappedText(text, null, null, NO_PIECES);
  }

  /** `units` are the text's, written from `pieces` of the source. */
  static of(units: Uint16Array, source: MappedText, pieces: Pieces): MappedText {
    const text = Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le');
    return new MappedText(text, units, source, pieces);
  }

  get isIdentity(): boolean {
    return this.source === null;
  }

  /** The text as numbers. */
  get units(): Uint16Array {
    if (this.#units === null) {
      this.#units = new Uint16Array(this.text.length);
      Buffer.from(this.#units.buffer).write(this.text, 'utf16le');
    }
    return this.#units;
  }

  /** The smallest span of the original that holds all that [start, end) stands for. An empty span stays empty. */
  original(start: number, end: number): Span {
    if (this.source === null) return { start, end };
    if (start < end) return { start: this.#spanOf(start).start, end: this.#spanOf(end - 1).end };
    const at = start < this.text.length ? this.#spanOf(start).start : this.#originalLength;
    return { start: at, end: at };
  }

  #spanOf(unit: number): Span {
    const { start, end } = this.pieces.sourceOf(unit);
    return this.source!.original(start, end);
  }

  get #originalLength(): number {
    return this.source === null ? this.text.length : this.source.#originalLength;
  }
}

const NO_PIECES = new Pieces();

/** Writes a text from pieces of a source, which may be a rewritten text itself; spans lead to the first original. */
export class MappedTextBuilder {
  readonly #source: MappedText;
  readonly #pieces = new Pieces();
  #units: Uint16Array;
  #length = 0;

  constructor(source: MappedText) {
    this.#source = source;
    this.#units = new Uint16Array(source.text.length); // seldom is it longer
  }

  /** `text` stands for [start, end) of the source. */
  replace(text: string, start: number, end: number): void {
    if (text.length === 0) return;
    this.#makeRoom(text.length);
    for (let at = 0; at < text.length; at += 1) this.#units[this.#length + at] = text.charCodeAt(at);
    this.#pieces.add(this.#length, text.length, start, end);
    this.#length += text.length;
  }

  /** The same of one unit. */
  replaceBy(unit: number, start: number, end: number): void {
    this.#makeRoom(1);
    this.#units[this.#length] = unit;
    this.#pieces.add(this.#length, 1, start, end);
    this.#length += 1;
  }

  /** [start, end) of the source as it is. */
  keep(start: number, end: number): void {
    if (start >= end) return;
    this.#makeRoom(end - start);
    const { units } = this.#source;
    for (let at = start, to = this.#length; at < end; at += 1, to += 1) this.#units[to] = units[at]!;
    this.#pieces.keep(this.#length, start);
    this.#length += end - start;
  }

  build(): MappedText {
    return MappedText.of(this.#units.subarray(0, this.#length), this.#source, this.#pieces);
  }

  #makeRoom(units: number): void {
    if (this.#length + units <= this.#units.length) return;
    const wider = new Uint16Array(2 * (this.#length + units));
    wider.set(this.#units);
    this.#units = wider;
  }
}
