import { toHalf } from './half.js';
import { quantise } from './quantise.js';

/** GGUF version 3 (ggml's docs/gguf.md), as much of it as the fixtures use. */

export const TensorType = { f32: 0, f16: 1, q4_0: 2, q5_0: 6 } as const;
export type TensorType = keyof typeof TensorType;

const ValueType = { uint16: 2, uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const alignment = 32;

/** Numbers carry their type in the key of the object: the format has no untyped numbers. */
export type MetadataValue =
  | string
  | boolean
  | { uint16: number }
  | { uint32: number }
  | { int32: number }
  | { float32: number }
  | { strings: string[] }
  | { int32s: number[] }
  | { float32s: number[] }
  | { bools: boolean[] };

export interface Tensor {
  name: string;
  /** Innermost first, as ggml counts. */
  shape: number[];
  type: TensorType;
  values: Float32Array;
}

/** The file's bytes. Same input, same bytes. */
export function encodeGguf(metadata: Record<string, MetadataValue>, tensors: Tensor[]): Buffer {
  const header = new Bytes();
  header.raw(Buffer.from('GGUF', 'latin1'));
  header.uint32(3);
  header.uint64(tensors.length);
  header.uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    header.string(key);
    writeValue(header, value);
  }
  const data = new Bytes();
  for (const tensor of tensors) {
    header.string(tensor.name);
    header.uint32(tensor.shape.length);
    for (const size of tensor.shape) header.uint64(size);
    header.uint32(TensorType[tensor.type]);
    header.uint64(data.length);
    data.raw(tensorBytes(tensor));
    data.align(alignment);
  }
  header.align(alignment);
  return Buffer.concat([header.toBuffer(), data.toBuffer()]);
}

function writeValue(out: Bytes, value: MetadataValue): void {
  if (typeof value === 'string') {
    out.uint32(ValueType.string);
    out.string(value);
  } else if (typeof value === 'boolean') {
    out.uint32(ValueType.bool);
    out.uint8(value ? 1 : 0);
  } else if ('uint16' in value) {
    out.uint32(ValueType.uint16);
    out.uint16(value.uint16);
  } else if ('int32' in value) {
    out.uint32(ValueType.int32);
    out.int32(value.int32);
  } else if ('uint32' in value) {
    out.uint32(ValueType.uint32);
    out.uint32(value.uint32);
  } else if ('float32' in value) {
    out.uint32(ValueType.float32);
    out.float32(value.float32);
  } else if ('strings' in value) {
    writeArray(out, ValueType.string, value.strings, (item) => out.string(item));
  } else if ('int32s' in value) {
    writeArray(out, ValueType.int32, value.int32s, (item) => out.int32(item));
  } else if ('float32s' in value) {
    writeArray(out, ValueType.float32, value.float32s, (item) => out.float32(item));
  } else {
    writeArray(out, ValueType.bool, value.bools, (item) => out.uint8(item ? 1 : 0));
  }
}

function writeArray<T>(out: Bytes, type: number, items: T[], write: (item: T) => void): void {
  out.uint32(ValueType.array);
  out.uint32(type);
  out.uint64(items.length);
  for (const item of items) write(item);
}

function tensorBytes(tensor: Tensor): Buffer {
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  if (elements !== tensor.values.length)
    throw new RangeError(`${tensor.name}: ${tensor.values.length} values for ${elements}`);
  switch (tensor.type) {
    case 'q4_0':
      return quantise(tensor.values, 4);
    case 'q5_0':
      return quantise(tensor.values, 5);
    case 'f16':
      return Buffer.from(Uint16Array.from(tensor.values, toHalf).buffer);
    case 'f32':
      return Buffer.from(Float32Array.from(tensor.values).buffer);
  }
}

class Bytes {
  readonly #chunks: Buffer[] = [];
  length = 0;

  raw(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  uint8(value: number): void {
    this.raw(Buffer.of(value));
  }

  uint16(value: number): void {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
    this.raw(bytes);
  }

  uint32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.raw(bytes);
  }

  int32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.raw(bytes);
  }

  float32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.raw(bytes);
  }

  uint64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.raw(bytes);
  }

  string(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  align(to: number): void {
    this.raw(Buffer.alloc((to - (this.length % to)) % to));
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
