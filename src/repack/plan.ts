import { align, type GgufHeader, type TensorEntry } from '../gguf/header.js';
import { TensorType } from '../gguf/tensor-types.js';
import { blockRules, q8BlockBytes } from './blocks.js';

/** A tensor of the new file. */
export interface PlannedTensor {
  source: TensorEntry;
  type: number;
  offset: number; // from the start of the new file's data
  bytes: number;
}

export interface RepackPlan {
  tensors: PlannedTensor[]; // in the header's order
  fileBytes: number;
}

/**
 * Tensors that would gain by another type: matrices that activations are multiplied by, in a type with a rule. Embedding
 * tables are only looked up in, unless the output matrix is the same table.
 */
export function rewritable(header: GgufHeader): TensorEntry[] {
  const hasOutput = header.tensors.some(({ name }) => name === 'output.weight');
  return header.tensors.filter(({ name, shape, type }) => {
    if (!blockRules.has(type) || shape.length !== 2) return false;
    return !/embd/.test(name) || (name === 'token_embd.weight' && !hasOutput);
  });
}

/** Every rewritable tensor of the types given becomes Q8_0; the others keep their bytes, and all keep their order. */
export function planRepack(header: GgufHeader, types: ReadonlySet<number>): RepackPlan {
  const rewritten = new Set(rewritable(header).filter(({ type }) => types.has(type)));
  const planned = new Map<TensorEntry, PlannedTensor>();
  let end = 0;
  for (const source of [...header.tensors].sort((a, b) => a.offset - b.offset)) {
    const offset = align(end, header.alignment);
    const tensor = rewritten.has(source)
      ? { source, type: TensorType.q8_0, offset, bytes: q8Bytes(source) }
      : { source, type: source.type, offset, bytes: source.bytes };
    planned.set(source, tensor);
    end = offset + tensor.bytes;
  }
  // Entries have fixed widths, so the new header is as long as the old one.
  return {
    tensors: header.tensors.map((source) => planned.get(source)!),
    fileBytes: header.dataStart + align(end, header.alignment),
  };
}

export function blocksOf(source: TensorEntry): number {
  return source.bytes / blockRules.get(source.type)!.sourceBytes;
}

function q8Bytes(source: TensorEntry): number {
  return blocksOf(source) * q8BlockBytes;
}
