export interface Span {
  start: number;
  end: number;
}

/** A rewritten text whose every UTF-16 unit knows which span of the original it stands for. */
export class MappedText {
  private constructor(
    readonly text: string,
    private readonly starts: Uint32Array | null, // null: the original itself
    private readonly ends: Uint32Array | null,
    private readonly originalLength: number,
  ) {}

  static identity(text: string): MappedText {
    return new MappedText(text, null, null, text.length);
  }

  static of(text: string, starts: Uint32Array, ends: Uint32Array, originalLength: number): MappedText {
    return new MappedText(text, starts, ends, originalLength);
  }

  get isIdentity(): boolean {
    return this.starts === null;
  }

  /** The smallest span of the original that holds all that [start, end) stands for. An empty span stays empty. */
  original(start: number, end: number): Span {
    if (this.starts === null) return { start, end };
    if (start >= end) {
      const at = start < this.text.length ? this.starts[start]! : this.originalLength;
      return { start: at, end: at };
    }
    return { start: this.starts[start]!, end: this.ends![end - 1]! };
  }
}

/** Writes a text from pieces of a source, which may be a rewritten text itself; spans lead to the first original. */
export class MappedTextBuilder {
  private readonly pieces: string[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  constructor(private readonly source: MappedText) {}

  /** `text` stands for [start, end) of the source. */
  replace(text: string, start: number, end: number): void {
    const span = this.source.original(start, end);
    this.pieces.push(text);
    for (let unit = 0; unit < text.length; unit += 1) {
      this.starts.push(span.start);
      this.ends.push(span.end);
    }
  }

  /** [start, end) of the source as it is. */
  keep(start: number, end: number): void {
    this.pieces.push(this.source.text.slice(start, end));
    for (let unit = start; unit < end; unit += 1) {
      const span = this.source.original(unit, unit + 1);
      this.starts.push(span.start);
      this.ends.push(span.end);
    }
  }

  build(): MappedText {
    const end = this.source.original(this.source.text.length, this.source.text.length).end;
    return MappedText.of(
      this.pieces.join(''),
      Uint32Array.from(this.starts),
      Uint32Array.from(this.ends),
      end,
    );
  }
}
