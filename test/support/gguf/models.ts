import { encodeGguf, type MetadataValue, type Tensor, type TensorType } from './gguf-writer.js';
import { mambaLayers, mambaMetadata } from './mamba.js';
import { type Transformer, transformerLayers, transformerMetadata } from './transformers.js';
import { byteLevelVocabulary, sentencePieceVocabulary, type Vocabulary } from './vocabulary.js';
import { Weights } from './weights.js';

export interface Shape {
  seed: number;
  vocabSize: number;
  context: number;
  layers: number;
  embeddingSize: number;
  feedForwardSize: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  /** Tokens, for architectures that have one; every second layer is windowed. */
  slidingWindow: number;
}

export interface ModelSpec {
  architecture: Transformer | 'mamba';
  name: string;
  shape: Shape;
  chatTemplate: string | null;
  /** Type of the matrices, F16 unless named here; and of some, by name (`attn_q`). */
  matrixType?: TensorType;
  types?: Record<string, TensorType>;
}

/** A model with random weights: nonsense to read, but every token depends on all those before it. */
export function buildModel(spec: ModelSpec, change: (tensor: Tensor) => Tensor = (same) => same): Buffer {
  const { metadata, tensors } = contents(spec);
  return encodeGguf(metadata, tensors.map(change));
}

/** The same model in several files, as llama.cpp's gguf-split writes them: the first has the metadata of all. */
export function buildSplitModel(spec: ModelSpec, parts: number): Buffer[] {
  const { metadata, tensors } = contents(spec);
  const each = Math.ceil(tensors.length / parts);
  return Array.from({ length: parts }, (_, part) => {
    const place: Record<string, MetadataValue> = {
      'split.no': { uint16: part },
      'split.count': { uint16: parts },
      'split.tensors.count': { int32: tensors.length },
    };
    const own = tensors.slice(part * each, (part + 1) * each);
    return encodeGguf(part === 0 ? { ...metadata, ...place } : place, own);
  });
}

function contents(spec: ModelSpec): { metadata: Record<string, MetadataValue>; tensors: Tensor[] } {
  const { architecture, shape } = spec;
  const vocabulary =
    architecture === 'qwen3'
      ? byteLevelVocabulary(shape.vocabSize)
      : sentencePieceVocabulary(shape.vocabSize);
  const weights = new Weights(shape.seed);
  ends(weights, spec);
  if (architecture === 'mamba') mambaLayers(weights, shape);
  else transformerLayers(architecture, weights, shape);
  const tensors = weights.tensors.map((tensor) => ({ ...tensor, type: typeOf(tensor, spec) }));
  return { metadata: describe(spec, vocabulary), tensors };
}

function typeOf(tensor: Tensor, { matrixType = 'f16', types }: ModelSpec): TensorType {
  if (tensor.type !== 'f16') return tensor.type;
  const stem = tensor.name.replace(/^blk\.\d+\./, '').replace(/\.weight$/, '');
  return types?.[stem] ?? matrixType;
}

function describe(spec: ModelSpec, vocabulary: Vocabulary): Record<string, MetadataValue> {
  const { architecture, shape } = spec;
  const common: Record<string, MetadataValue> = {
    'general.architecture': architecture,
    'general.name': spec.name,
    'general.type': 'model',
    'general.file_type': { uint32: 1 }, // mostly F16
    [`${architecture}.context_length`]: { uint32: shape.context },
    [`${architecture}.embedding_length`]: { uint32: shape.embeddingSize },
    [`${architecture}.block_count`]: { uint32: shape.layers },
    [`${architecture}.feed_forward_length`]: { uint32: shape.feedForwardSize },
    [`${architecture}.vocab_size`]: { uint32: shape.vocabSize },
  };
  const own = architecture === 'mamba' ? mambaMetadata(shape) : transformerMetadata(architecture, shape);
  const template = spec.chatTemplate === null ? {} : { 'tokenizer.chat_template': spec.chatTemplate };
  return { ...common, ...own, ...vocabulary.metadata, ...template };
}

function ends(weights: Weights, { architecture, shape }: ModelSpec): void {
  const matrix = (name: string, deviation: number) =>
    weights.vector(name, [shape.embeddingSize, shape.vocabSize], deviation, 'f16');
  const width = 1 / Math.sqrt(shape.embeddingSize);
  // Gemma 2's loader refuses an output matrix beside the embeddings, and multiplies these when a token comes in.
  const isTied = architecture === 'gemma2';
  matrix('token_embd.weight', isTied ? width : 1);
  weights.norm('output_norm.weight', shape.embeddingSize);
  // Three times the usual width: logits far enough apart that rounding seldom changes which is the largest.
  if (!isTied) matrix('output.weight', 3 * width);
}
