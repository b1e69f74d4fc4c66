import assert from 'node:assert/strict';
import { type FileHandle, open } from 'node:fs/promises';
import { type GgufHeader, readGgufHeader, type TensorEntry } from '../../../src/gguf/header.js';
import { dequantise } from './dequantise.js';

const q8 = 8;

/**
 * Asserts that a rewritten file says what its source says: the same metadata bytes, the same tensors in the same order,
 * bytes kept or every value equal to the last bit. Returns the names of the rewritten ones.
 */
export async function assertSameModel(sourcePath: string, rewrittenPath: string): Promise<string[]> {
  const [source, rewritten] = [readGgufHeader(sourcePath), readGgufHeader(rewrittenPath)];
  const [a, b] = [await open(sourcePath, 'r'), await open(rewrittenPath, 'r')];
  try {
    const { end } = source.metadata;
    assert.deepEqual(rewritten.metadata, source.metadata);
    assert.ok((await bytesAt(a, 0, end)).equals(await bytesAt(b, 0, end)));
    assert.equal(rewritten.tensors.length, source.tensors.length);
    const changed: string[] = [];
    for (const [index, before] of source.tensors.entries()) {
      const after = rewritten.tensors[index]!;
      assert.deepEqual([after.name, after.shape], [before.name, before.shape]);
      const [bytesBefore, bytesAfter] = [
        await tensorAt(a, source, before),
        await tensorAt(b, rewritten, after),
      ];
      if (after.type === before.type) {
        assert.ok(bytesBefore.equals(bytesAfter), before.name);
      } else {
        assert.equal(after.type, q8);
        assertSameValues(dequantise(before.type, bytesBefore), dequantise(q8, bytesAfter), before.name);
        changed.push(before.name);
      }
    }
    return changed;
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

/** Bit by bit: −0 is not 0, and NaN is NaN. */
export function assertSameValues(a: Float32Array, b: Float32Array, name: string): void {
  assert.equal(a.length, b.length, name);
  const [bitsA, bitsB] = [bitsOf(a), bitsOf(b)];
  for (let i = 0; i < bitsA.length; i++) {
    if (bitsA[i] !== bitsB[i]) assert.fail(`${name}[${i}]: ${a[i]} became ${b[i]}`);
  }
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function tensorAt(file: FileHandle, header: GgufHeader, { offset, bytes }: TensorEntry): Promise<Buffer> {
  return bytesAt(file, header.dataStart + offset, bytes);
}

async function bytesAt(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, position);
  assert.equal(bytesRead, bytes);
  return buffer;
}
