/** Little-endian values, one after the other. */
export class ByteWriter {
  readonly #chunks: Buffer[] = [];
  length = 0;

  raw(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  uint8(value: number): void {
    this.raw(Buffer.of(value));
  }

  uint16(value: number): void {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
    this.raw(bytes);
  }

  uint32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.raw(bytes);
  }

  int32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.raw(bytes);
  }

  float32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.raw(bytes);
  }

  uint64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.raw(bytes);
  }

  string(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  /** Zeros up to a multiple of `to`. */
  align(to: number): void {
    this.raw(Buffer.alloc((to - (this.length % to)) % to));
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
