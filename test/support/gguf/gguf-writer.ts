import { toHalf } from '../../../src/gguf/half.js';
import { dataAlignment, encodeHeader, type MetadataValue } from '../../../src/gguf/header-writer.js';
import { TensorType as TypeNumber } from '../../../src/gguf/tensor-types.js';
import { quantise } from './quantise.js';

export type { MetadataValue };

export type TensorType = 'f32' | 'f16' | 'q4_0' | 'q5_0';

export interface Tensor {
  name: string;
  /** Innermost first, as ggml counts. */
  shape: number[];
  type: TensorType;
  values: Float32Array;
}

/** The file's bytes. Same input, same bytes. */
export function encodeGguf(metadata: Record<string, MetadataValue>, tensors: Tensor[]): Buffer {
  const header = encodeHeader(
    metadata,
    tensors.map(({ name, shape, type }) => ({ name, shape, type: TypeNumber[type] })),
  );
  return Buffer.concat([header, ...tensors.map((tensor) => padded(tensorBytes(tensor)))]);
}

function padded(data: Buffer): Buffer {
  const rest = (dataAlignment - (data.length % dataAlignment)) % dataAlignment;
  return rest === 0 ? data : Buffer.concat([data, Buffer.alloc(rest)]);
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
