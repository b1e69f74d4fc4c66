import { ByteWriter } from './byte-writer.js';
import { align, ValueType } from './header.js';
import { tensorBytes } from './tensor-types.js';

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

export interface TensorShape {
  name: string;
  shape: number[]; // innermost first
  type: number;
}

/** Of tensors' data, as of `general.alignment` where a file names none. */
export const dataAlignment = 32;

/** A header (version 3) with the padding after it: the data of the tensors follows, in this order, each padded alike. */
export function encodeHeader(
  metadata: Record<string, MetadataValue>,
  tensors: readonly TensorShape[],
): Buffer {
  const out = new ByteWriter();
  out.raw(Buffer.from('GGUF', 'latin1'));
  out.uint32(3);
  out.uint64(tensors.length);
  out.uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    writeTensorEntry(out, tensor, offset);
    offset = align(offset + bytesOf(tensor), dataAlignment);
  }
  out.align(dataAlignment);
  return out.toBuffer();
}

export function writeTensorEntry(out: ByteWriter, { name, shape, type }: TensorShape, offset: number): void {
  out.string(name);
  out.uint32(shape.length);
  for (const size of shape) out.uint64(size);
  out.uint32(type);
  out.uint64(offset);
}

function bytesOf({ name, shape, type }: TensorShape): number {
  const bytes = tensorBytes(type, shape);
  if (bytes === null) throw new RangeError(`${name}: rows of ${shape[0]} can't be of type ${type}`);
  return bytes;
}

function writeValue(out: ByteWriter, value: MetadataValue): void {
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

function writeArray<T>(out: ByteWriter, type: number, items: T[], write: (item: T) => void): void {
  out.uint32(ValueType.array);
  out.uint32(type);
  out.uint64(items.length);
  for (const item of items) write(item);
}
