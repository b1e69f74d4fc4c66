import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../errors.js';

const validatorSchema = z.object({
  url: z.string(),
  /** A strong ETag (RFC 9110, 8.8.3), or null where the server sent none. */
  etag: z.string().nullable(),
  bytes: z.int().nonnegative().nullable(),
});

/** Says which bytes a partial file holds the beginning of. */
export type Validator = z.infer<typeof validatorSchema>;

/**
 * A file on its way to `target`: bytes gather in `target.part`, `target.part.json` says of what, and only the whole,
 * verified file gets the name `target`. What a killed process leaves behind is continued by the next one.
 */
export class PartialFile {
  readonly #target: string;
  readonly #handle: FileHandle;
  #hash: Hash;
  #length: number;
  #validator: Validator | null;

  private constructor(
    target: string,
    handle: FileHandle,
    hash: Hash,
    length: number,
    validator: Validator | null,
  ) {
    this.#target = target;
    this.#handle = handle;
    this.#hash = hash;
    this.#length = length;
    this.#validator = validator;
  }

  /** Opens or creates it; existing bytes are read once, for the running checksum: O(length). */
  static async open(target: string): Promise<PartialFile> {
    const handle = await open(partPath(target), 'a+', 0o644);
    const validator = await readValidator(target);
    const { hash, length } = await hashFile(partPath(target));
    const file = new PartialFile(target, handle, hash, length, validator);
    if (validator === null && length > 0) await file.restart(null);
    return file;
  }

  get length(): number {
    return this.#length;
  }

  get validator(): Validator | null {
    return this.#validator;
  }

  /** Forgets all bytes; those to come are described by `validator`. */
  async restart(validator: Validator | null): Promise<void> {
    // Emptied first: a crash between the two leaves no bytes that the new validator would vouch for.
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#length = 0;
    this.#validator = validator;
    if (validator !== null) await writeFile(validatorPath(this.#target), JSON.stringify(validator));
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
    this.#hash.update(chunk);
    this.#length += chunk.length;
  }

  /** Verifies and renames to the target. On a mismatch the bytes are dropped: model_checksum_mismatch. */
  async commit(expected: {
    sha256: string | null;
    bytes: number | null;
  }): Promise<{ sha256: string; bytes: number }> {
    const sha256 = this.#hash.copy().digest('hex');
    const problem = mismatch(expected, sha256, this.#length);
    if (problem !== null) {
      await this.restart(null);
      throw new SluiceError(
        'model_checksum_mismatch',
        `The downloaded file is damaged or not the expected one: ${problem}.`,
      );
    }
    await this.#handle.sync();
    await rename(partPath(this.#target), this.#target);
    await rm(validatorPath(this.#target), { force: true });
    await syncDirectory(dirname(this.#target));
    return { sha256, bytes: this.#length };
  }

  /** What nothing has come of leaves nothing behind. */
  async close(): Promise<void> {
    await this.#handle.close();
    if (this.#length > 0) return;
    await rm(partPath(this.#target), { force: true });
    await rm(validatorPath(this.#target), { force: true });
  }
}

export async function hashFile(path: string): Promise<{ hash: Hash; length: number }> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { hash, length };
}

/** A rename is durable once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function mismatch(
  expected: { sha256: string | null; bytes: number | null },
  sha256: string,
  bytes: number,
): string | null {
  if (expected.bytes !== null && expected.bytes !== bytes)
    return `${bytes} bytes instead of ${expected.bytes}`;
  if (expected.sha256 !== null && expected.sha256 !== sha256)
    return `sha256 ${sha256} instead of ${expected.sha256}`;
  return null;
}

async function readValidator(target: string): Promise<Validator | null> {
  try {
    return validatorSchema.parse(JSON.parse(await readFile(validatorPath(target), 'utf8')));
  } catch {
    return null; // none, or half written: the bytes can't be trusted
  }
}

function partPath(target: string): string {
  return `${target}.part`;
}

function validatorPath(target: string): string {
  return `${target}.part.json`;
}
