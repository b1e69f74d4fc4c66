/** Damaged variants of a GGUF file. Each must be refused with an error, never crash or exhaust memory. */
export type Corruption = (typeof corruptions)[number];

export const corruptions = [
  'empty',
  'magic-only',
  'bad-magic',
  'bad-version',
  'truncated-header',
  'truncated-data',
  'huge-tensor-count',
  'huge-metadata-count',
  'huge-string',
  'tensor-offset-outside',
  'tensor-size-overflow',
] as const;

const offsetOf = { version: 4, tensorCount: 8, metadataCount: 16, firstKeyLength: 24 };
const huge = 2n ** 61n;

export function corrupt(file: Buffer, how: Corruption): Buffer {
  const bytes = Buffer.from(file);
  switch (how) {
    case 'empty':
      return Buffer.alloc(0);
    case 'magic-only':
      return bytes.subarray(0, 4);
    case 'bad-magic':
      bytes.write('GGML', 0, 'latin1');
      return bytes;
    case 'bad-version':
      bytes.writeUInt32LE(0x7fff_ffff, offsetOf.version);
      return bytes;
    case 'truncated-header':
      return bytes.subarray(0, 1000);
    case 'truncated-data':
      return bytes.subarray(0, bytes.length - 100_000);
    case 'huge-tensor-count':
      bytes.writeBigUInt64LE(huge, offsetOf.tensorCount);
      return bytes;
    case 'huge-metadata-count':
      bytes.writeBigUInt64LE(huge, offsetOf.metadataCount);
      return bytes;
    case 'huge-string':
      bytes.writeBigUInt64LE(huge, offsetOf.firstKeyLength);
      return bytes;
    case 'tensor-offset-outside':
      bytes.writeBigUInt64LE(BigInt(bytes.length) * 32n, firstTensorInfo(bytes).offset);
      return bytes;
    case 'tensor-size-overflow':
      // 2^62 × the second dimension wraps around 64 bits.
      bytes.writeBigUInt64LE(2n ** 62n, firstTensorInfo(bytes).dimensions);
      return bytes;
  }
}

/** Positions in the first tensor's entry, which the fixtures name token_embd.weight (two dimensions). */
function firstTensorInfo(bytes: Buffer): { dimensions: number; offset: number } {
  const name = 'token_embd.weight';
  const dimensions = bytes.indexOf(name) + name.length + 4;
  return { dimensions, offset: dimensions + 2 * 8 + 4 };
}
