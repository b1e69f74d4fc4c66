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

  /** The spans of each unit of [start, end), written from `to` on. */
  copySpans(start: number, end: number, starts: Uint32Array, ends: Uint32Array, to: number): void {
    if (this.starts !== null) {
      starts.set(this.starts.subarray(start, end), to);
      ends.set(this.ends!.subarray(start, end), to);
      return;
    }
    for (let unit = start, at = to; unit < end; unit += 1, at += 1) {
      starts[at] = unit;
      ends[at] = unit + 1;
    }
  }
}

interface Piece {
  text: string | null; // null: as it is in the source
  start: number; // in the source
  end: number;
}

/** Writes a text from pieces of a source, which may be a rewritten text itself; spans lead to the first original. */
export class MappedTextBuilder {
  private readonly pieces: Piece[] = [];
  private length = 0;

  constructor(private readonly source: MappedText) {}

  /** `text` stands for [start, end) of the source. */
  replace(text: string, start: number, end: number): void {
    this.pieces.push({ text, start, end });
    this.length += text.length;
  }

  /** [start, end) of the source as it is. */
  keep(start: number, end: number): void {
    if (start >= end) return;
    this.pieces.push({ text: null, start, end });
    this.length += end - start;
  }

  build(): MappedText {
    const { source, pieces } = this;
    const starts = new Uint32Array(this.length);
    const ends = new Uint32Array(this.length);
    let written = '';
    for (const { text, start, end } of pieces) {
      const from = written.length;
      if (text === null) {
        source.copySpans(start, end, starts, ends, from);
        written += source.text.slice(start, end);
      } else {
        const span = source.original(start, end);
        starts.fill(span.start, from, from + text.length);
        ends.fill(span.end, from, from + text.length);
        written += text;
      }
    }
    return MappedText.of(written, starts, ends, source.original(source.text.length, source.text.length).end);
  }
}
