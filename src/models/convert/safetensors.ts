import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { SluiceError } from '../../errors.js';

const maxHeaderBytes = 16 * 2 ** 20;

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);

export interface StoredTensor {
  dtype: string;
  shape: number[]; // outermost first
  start: number; // in the file
  bytes: number;
}

/** A safetensors file, opened for reading: eight bytes of length, a JSON header, the tensors' bytes. */
export class Safetensors {
  readonly #file: FileHandle;
  readonly tensors: ReadonlyMap<string, StoredTensor>;

  private constructor(file: FileHandle, tensors: ReadonlyMap<string, StoredTensor>) {
    this.#file = file;
    this.tensors = tensors;
  }

  /** Throws model_checksum_mismatch where the file isn't what its header claims. */
  static async open(path: string): Promise<Safetensors> {
    const file = await open(path, 'r');
    try {
      return new Safetensors(file, await readTensors(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The bytes [from, from + bytes) of a tensor's data. */
  async read(tensor: StoredTensor, from: number, bytes: number): Promise<Buffer> {
    return readExactly(this.#file, tensor.start + from, bytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function readTensors(file: FileHandle): Promise<Map<string, StoredTensor>> {
  const headerBytes = Number((await readExactly(file, 0, 8)).readBigUInt64LE());
  if (headerBytes > maxHeaderBytes) throw damaged('an impossible header length');
  const { __metadata__: _, ...entries } = parseJson(await readExactly(file, 8, headerBytes));
  const parsed = headerSchema.safeParse(entries);
  if (!parsed.success) throw damaged('its header is malformed');
  const dataStart = 8 + headerBytes;
  const dataBytes = (await file.stat()).size - dataStart;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(parsed.data)) {
    const [begin, end] = data_offsets;
    if (begin > end || end > dataBytes) throw damaged(`the tensor ${name} lies beyond its end`);
    tensors.set(name, { dtype, shape, start: dataStart + begin, bytes: end - begin });
  }
  return tensors;
}

function parseJson(bytes: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  } catch {
    throw damaged('its header is no JSON');
  }
}

async function readExactly(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await file.read(buffer, done, bytes - done, position + done);
    if (bytesRead === 0) throw damaged('it is cut short');
    done += bytesRead;
  }
  return buffer;
}

function damaged(reason: string): SluiceError {
  return new SluiceError('model_checksum_mismatch', `The file is not a usable safetensors file: ${reason}.`);
}
