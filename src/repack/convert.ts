import { type FileHandle, open } from 'node:fs/promises';
import { ByteWriter } from '../gguf/byte-writer.js';
import { damaged } from '../gguf/damaged.js';
import type { GgufHeader } from '../gguf/header.js';
import { writeTensorEntry } from '../gguf/header-writer.js';
import { blockRules, q8BlockBytes } from './blocks.js';
import { blocksOf, type PlannedTensor, type RepackPlan } from './plan.js';

const chunkBlocks = 1 << 15; // 0.7 MB in, 1.1 MB out
const chunkBytes = 1 << 20;

/**
 * Writes the planned file and flushes it to the disk. `target` must not exist. Memory is bounded by a few chunks; the
 * event loop gets its turn after each of them. Throws model_checksum_mismatch where the source ends early.
 */
export async function writeRepacked(
  sourcePath: string,
  header: GgufHeader,
  plan: RepackPlan,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const source = await open(sourcePath, 'r');
  try {
    const output = await open(target, 'wx', 0o644);
    try {
      await new Converter(source, output, header, signal).run(plan);
      await output.sync();
    } finally {
      await output.close();
    }
  } finally {
    await source.close();
  }
}

class Converter {
  readonly #input = Buffer.allocUnsafe(chunkBytes);
  readonly #output = Buffer.allocUnsafe(chunkBlocks * q8BlockBytes);

  constructor(
    private readonly source: FileHandle,
    private readonly target: FileHandle,
    private readonly header: GgufHeader,
    private readonly signal: AbortSignal,
  ) {}

  async run(plan: RepackPlan): Promise<void> {
    const { metadata, dataStart } = this.header;
    await this.#copy(0, metadata.end, 0);
    await this.#write(tensorEntries(plan), metadata.end);
    for (const tensor of plan.tensors) {
      const to = dataStart + tensor.offset;
      const from = dataStart + tensor.source.offset;
      if (tensor.type === tensor.source.type) await this.#copy(from, tensor.bytes, to);
      else await this.#convert(tensor, from, to);
    }
    await this.target.truncate(plan.fileBytes); // grows it by the last padding
  }

  async #copy(from: number, bytes: number, to: number): Promise<void> {
    for (let done = 0; done < bytes; done += chunkBytes) {
      const chunk = await this.#read(from + done, Math.min(chunkBytes, bytes - done));
      await this.#write(chunk, to + done);
    }
  }

  async #convert({ source }: PlannedTensor, from: number, to: number): Promise<void> {
    const rule = blockRules.get(source.type)!;
    const blocks = blocksOf(source);
    for (let done = 0; done < blocks; done += chunkBlocks) {
      const count = Math.min(chunkBlocks, blocks - done);
      const chunk = await this.#read(from + done * rule.sourceBytes, count * rule.sourceBytes);
      rule.convert(chunk, this.#output, count);
      await this.#write(this.#output.subarray(0, count * q8BlockBytes), to + done * q8BlockBytes);
    }
  }

  async #read(position: number, bytes: number): Promise<Buffer> {
    this.signal.throwIfAborted();
    const chunk = this.#input.subarray(0, bytes);
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await this.source.read(chunk, done, bytes - done, position + done);
      if (bytesRead === 0) throw damaged('it is cut short');
      done += bytesRead;
    }
    return chunk;
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.target.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}

function tensorEntries({ tensors }: RepackPlan): Buffer {
  const out = new ByteWriter();
  for (const { source, type, offset } of tensors) writeTensorEntry(out, { ...source, type }, offset);
  return out.toBuffer();
}
