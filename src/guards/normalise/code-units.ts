const ROOM = 16_384;

/** The UTF-16 units of a text as numbers: read several times, that is quicker than a string's characters. */
export class CodeUnits {
  #units = new Uint16Array(ROOM);
  #bytes = Buffer.from(this.#units.buffer);

  /** As many as `text` has are its own; they hold until the next text is read. */
  of(text: string): Uint16Array {
    if (text.length > this.#units.length) {
      this.#units = new Uint16Array(2 * text.length);
      this.#bytes = Buffer.from(this.#units.buffer);
    }
    this.#bytes.write(text, 'utf16le');
    return this.#units;
  }
}
