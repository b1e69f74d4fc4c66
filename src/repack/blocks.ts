import { TensorType } from '../gguf/tensor-types.js';

/**
 * Blocks of 32 weights become Q8_0's: a half-precision scale d and 32 signed bytes q, weight = d · q. Q5_0 and Q4_0
 * are d · (q − 16) and d · (q − 8) with q unsigned, so with the offset taken off q both are Q8_0 with the same d, and
 * every weight keeps its value to the last bit.
 */

export interface BlockRule {
  name: string;
  sourceBytes: number; // of one block
  /** Converts `blocks` blocks; `target` holds blocks × 34 bytes. */
  convert(source: Uint8Array, target: Uint8Array, blocks: number): void;
}

export const q8BlockBytes = 34;
const half = 16; // the two nibbles of a byte are weights that lie this far apart

export const blockRules: ReadonlyMap<number, BlockRule> = new Map([
  [TensorType.q4_0, { name: 'Q4_0', sourceBytes: 18, convert: convertQ4 }],
  [TensorType.q5_0, { name: 'Q5_0', sourceBytes: 22, convert: convertQ5 }],
]);

/** Q4_0: d, then 16 bytes of nibbles. */
function convertQ4(source: Uint8Array, target: Uint8Array, blocks: number): void {
  for (let block = 0; block < blocks; block++) {
    const from = block * 18;
    const to = block * q8BlockBytes;
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
    for (let i = 0; i < half; i++) {
      const nibbles = source[from + 2 + i]!;
      target[to + 2 + i] = (nibbles & 15) - 8;
      target[to + 2 + half + i] = (nibbles >> 4) - 8;
    }
  }
}

/** Q5_0: d, 32 fifth bits, then 16 bytes of nibbles. */
function convertQ5(source: Uint8Array, target: Uint8Array, blocks: number): void {
  for (let block = 0; block < blocks; block++) {
    const from = block * 22;
    const to = block * q8BlockBytes;
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
    const lowFifths = source[from + 2]! | (source[from + 3]! << 8);
    const highFifths = source[from + 4]! | (source[from + 5]! << 8);
    for (let i = 0; i < half; i++) {
      const nibbles = source[from + 6 + i]!;
      target[to + 2 + i] = ((nibbles & 15) | (((lowFifths >> i) & 1) << 4)) - 16;
      target[to + 2 + half + i] = ((nibbles >> 4) | (((highFifths >> i) & 1) << 4)) - 16;
    }
  }
}
