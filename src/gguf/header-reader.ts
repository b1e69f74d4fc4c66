import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { damaged } from './damaged.js';

/** Forward reading of little-endian values through one buffer. What ends too early throws. */
export class HeaderReader {
  readonly fileBytes: number;
  readonly #descriptor: number;
  readonly #window = Buffer.allocUnsafe(1 << 20);
  #windowStart = 0; // in the file
  #windowBytes = 0;
  #position = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.fileBytes = fstatSync(this.#descriptor).size;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.fileBytes - this.#position;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  uint32(): number {
    const at = this.#take(4);
    return this.#window.readUInt32LE(at);
  }

  /** Refuses numbers that a double can't hold: no file is as long. */
  uint64(): number {
    const at = this.#take(8);
    const value = this.#window.readUInt32LE(at + 4) * 2 ** 32 + this.#window.readUInt32LE(at);
    if (!Number.isSafeInteger(value)) throw damaged('an impossible number');
    return value;
  }

  uint16(): number {
    const at = this.#take(2);
    return this.#window.readUInt16LE(at);
  }

  string(maxBytes: number): string {
    const bytes = this.uint64();
    if (bytes > maxBytes) throw damaged('an impossible string length');
    const at = this.#take(bytes);
    return this.#window.toString('utf8', at, at + bytes);
  }

  skipString(): void {
    this.skip(this.uint64());
  }

  skip(bytes: number): void {
    if (bytes > this.remaining) throw damaged('the header ends early');
    this.#position += bytes;
  }

  /** Index in the window of the next `bytes`, which are consumed. */
  #take(bytes: number): number {
    if (bytes > this.remaining || bytes > this.#window.length) throw damaged('the header ends early');
    const windowEnd = this.#windowStart + this.#windowBytes;
    if (this.#position < this.#windowStart || this.#position + bytes > windowEnd) {
      this.#windowStart = this.#position;
      this.#windowBytes = readSync(this.#descriptor, this.#window, 0, this.#window.length, this.#position);
      if (this.#windowBytes < bytes) throw damaged('the header ends early');
    }
    const at = this.#position - this.#windowStart;
    this.#position += bytes;
    return at;
  }
}
