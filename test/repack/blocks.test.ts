import assert from 'node:assert/strict';
import test from 'node:test';
import { TensorType, tensorBytes } from '../../src/gguf/tensor-types.js';
import { blockRules, q8BlockBytes } from '../../src/repack/blocks.js';
import { assertSameValues } from './support/compare.js';
import { dequantise, fromHalf } from './support/dequantise.js';

/** Zeros of both signs, the smallest and largest subnormal and normal numbers, ordinary ones, infinity, NaN. */
const scales = [
  0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x7bff, 0xfbff, 0x2e66, 0xae66, 0x3c00, 0x7c00, 0xfc00, 0x7e01,
];

/** Blocks in which every step stands at every place, for every scale. */
function everyBlock(type: number): Buffer {
  const { sourceBytes } = blockRules.get(type)!;
  const blocks: Buffer[] = [];
  for (const scale of scales) {
    for (let byte = 0; byte < 256; byte++) {
      const block = Buffer.alloc(sourceBytes, byte);
      block.writeUInt16LE(scale);
      blocks.push(block);
    }
    for (let bit = 0; bit < 32 && type === TensorType.q5_0; bit++) {
      const block = Buffer.alloc(sourceBytes, 0x5a);
      block.writeUInt16LE(scale);
      block.writeInt32LE(1 << bit, 2);
      blocks.push(block);
    }
  }
  return Buffer.concat(blocks);
}

for (const type of [TensorType.q4_0, TensorType.q5_0]) {
  const { name, sourceBytes, convert } = blockRules.get(type)!;

  test(`${name}: every step at every place keeps its value under every kind of scale`, () => {
    const source = everyBlock(type);
    const blocks = source.length / sourceBytes;
    const target = Buffer.alloc(blocks * q8BlockBytes);
    convert(source, target, blocks);
    assertSameValues(dequantise(type, source), dequantise(TensorType.q8_0, target), name);
  });

  test(`${name}: blocks are as long as ggml says`, () => {
    assert.equal(tensorBytes(type, [64, 3]), 6 * sourceBytes);
    assert.equal(tensorBytes(TensorType.q8_0, [64, 3]), 6 * q8BlockBytes);
  });
}

test('sizes of tensors: unknown types and broken rows have none', () => {
  assert.equal(tensorBytes(0, [7, 5]), 140);
  assert.equal(tensorBytes(12, [512, 2]), 4 * 144); // Q4_K
  assert.equal(tensorBytes(12, [128, 4]), null);
  assert.equal(tensorBytes(4, [32]), null);
});

test('half precision, as the comparisons read it', () => {
  assert.deepEqual([0x3c00, 0xc000, 0x0001, 0x7bff].map(fromHalf), [1, -2, 2 ** -24, 65504]);
});
