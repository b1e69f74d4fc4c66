/** Values of a tensor by the formulas of ggml-quants.c, in single precision: what the kernels' results are made of. */
export function dequantise(type: number, bytes: Buffer): Float32Array {
  const read = readers.get(type);
  if (read === undefined) throw new RangeError(`type ${type} is not known here`);
  const values = new Float32Array((bytes.length / read.blockBytes) * 32);
  for (let block = 0; block * read.blockBytes < bytes.length; block++) {
    const at = block * read.blockBytes;
    const scale = fromHalf(bytes.readUInt16LE(at));
    for (let i = 0; i < 32; i++) values[block * 32 + i] = scale * read.step(bytes, at + 2, i);
  }
  return values;
}

interface BlockReader {
  blockBytes: number;
  /** Step i of the block whose bytes after the scale begin at `at`. */
  step(bytes: Buffer, at: number, i: number): number;
}

const nibble = (bytes: Buffer, at: number, i: number) => (bytes[at + (i % 16)]! >> (i < 16 ? 0 : 4)) & 15;

const readers = new Map<number, BlockReader>([
  [2, { blockBytes: 18, step: (bytes, at, i) => nibble(bytes, at, i) - 8 }],
  [
    6,
    {
      blockBytes: 22,
      step: (bytes, at, i) => {
        const fifth = (bytes.readUInt32LE(at) >>> i) & 1;
        return (nibble(bytes, at + 4, i) | (fifth << 4)) - 16;
      },
    },
  ],
  [8, { blockBytes: 34, step: (bytes, at, i) => bytes.readInt8(at + i) }],
]);

/** IEEE 754 binary16, exactly. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
