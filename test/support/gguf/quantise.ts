import { toHalf } from '../../../src/gguf/half.js';

/**
 * Blocks of 32 values in ggml's Q4_0 and Q5_0 (ggml-quants.c): a scale such that the value farthest from 0 becomes the
 * lowest step, then steps above that lowest one, 4 or 5 bits each.
 */
export function quantise(values: Float32Array, bits: 4 | 5): Buffer {
  const blockBytes = bits === 4 ? 18 : 22;
  const bytes = Buffer.alloc((values.length / 32) * blockBytes);
  for (let block = 0; block * 32 < values.length; block++) {
    const steps = quantiseBlock(values.subarray(block * 32, block * 32 + 32), 2 ** (bits - 1));
    const at = bytes.writeUInt16LE(toHalf(steps.scale), block * blockBytes);
    const nibblesAt = bits === 4 ? at : at + 4;
    let fifths = 0;
    steps.values.forEach((step, i) => {
      if (step >= 16) fifths |= 1 << i;
      bytes[nibblesAt + (i % 16)]! |= (step & 15) << (i < 16 ? 0 : 4);
    });
    if (bits === 5) bytes.writeInt32LE(fifths, at);
  }
  return bytes;
}

function quantiseBlock(values: Float32Array, zero: number): { scale: number; values: number[] } {
  const extreme = values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  const scale = extreme / -zero;
  const step = (value: number) => (scale === 0 ? zero : Math.floor(value / scale + zero + 0.5));
  return {
    scale,
    values: Array.from(values, (value) => Math.max(0, Math.min(2 * zero - 1, step(value)))),
  };
}
