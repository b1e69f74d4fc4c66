import { toHalf } from '../../gguf/half.js';
import { align } from '../../gguf/header.js';
import { dataAlignment, encodeHeader } from '../../gguf/header-writer.js';
import { TensorType, tensorBytes } from '../../gguf/tensor-types.js';
import type { ConversionPlan, PlannedTensor } from './bert.js';
import type { Safetensors } from './safetensors.js';

/** Values rounded at once: some 2 ms, after which the event loop gets its turn. */
const chunkValues = 1 << 17;

/** Length of the file that {@link ggufData} yields. */
export function ggufBytes({ metadata, tensors }: ConversionPlan): number {
  const data = tensors.map(({ type, shape }) => align(tensorBytes(type, shape)!, dataAlignment));
  return encodeHeader(metadata, tensors).length + data.reduce((sum, bytes) => sum + bytes, 0);
}

/** The GGUF file of a plan, piece by piece. Same checkpoint, same bytes. */
export async function* ggufData(plan: ConversionPlan, source: Safetensors): AsyncGenerator<Buffer> {
  yield encodeHeader(plan.metadata, plan.tensors);
  for (const tensor of plan.tensors) {
    yield* tensorData(tensor, source);
    const bytes = tensorBytes(tensor.type, tensor.shape)!;
    const padding = align(bytes, dataAlignment) - bytes;
    if (padding > 0) yield Buffer.alloc(padding);
  }
}

async function* tensorData({ type, source: stored }: PlannedTensor, source: Safetensors) {
  for (let from = 0; from < stored.bytes; from += 4 * chunkValues) {
    const values = await source.read(stored, from, Math.min(4 * chunkValues, stored.bytes - from));
    yield type === TensorType.f16 ? halves(values) : values;
  }
}

function halves(values: Buffer): Buffer {
  const rounded = Buffer.allocUnsafe(values.length / 2);
  for (let at = 0; at < values.length; at += 4) rounded.writeUInt16LE(toHalf(values.readFloatLE(at)), at / 2);
  return rounded;
}
