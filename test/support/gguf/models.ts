import { encodeGguf, type MetadataValue, type Tensor, type TensorType } from './gguf-writer.js';
import { Random } from './random.js';
import { byteLevelVocabulary, sentencePieceVocabulary, type Vocabulary } from './vocabulary.js';

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
  /** Tokens; gemma3 only. Every second layer is windowed. */
  slidingWindow: number;
}

export interface ModelSpec {
  architecture: 'llama' | 'qwen3' | 'gemma3' | 'mamba';
  name: string;
  shape: Shape;
  chatTemplate: string | null;
  /** Types of matrices that aren't F16, by name (`attn_q`). */
  types?: Record<string, TensorType>;
}

/** A model with random weights: nonsense to read, but every token depends on all those before it. */
export function buildModel(spec: ModelSpec): Buffer {
  const { metadata, tensors } = contents(spec);
  return encodeGguf(metadata, tensors);
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
  const vocabulary =
    spec.architecture === 'qwen3'
      ? byteLevelVocabulary(spec.shape.vocabSize)
      : sentencePieceVocabulary(spec.shape.vocabSize);
  const weights = new Weights(spec.shape.seed);
  if (spec.architecture === 'mamba') mambaTensors(weights, spec.shape);
  else transformerTensors(weights, spec);
  const tensors = weights.tensors.map((tensor) => {
    const stem = tensor.name.replace(/^blk\.\d+\./, '').replace(/\.weight$/, '');
    return { ...tensor, type: spec.types?.[stem] ?? tensor.type };
  });
  return { metadata: describe(spec, vocabulary), tensors };
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
    [`${architecture}.attention.layer_norm_rms_epsilon`]: { float32: 1e-6 },
    [`${architecture}.vocab_size`]: { uint32: shape.vocabSize },
  };
  const own = architecture === 'mamba' ? mambaMetadata(shape) : attentionMetadata(architecture, shape);
  const template = spec.chatTemplate === null ? {} : { 'tokenizer.chat_template': spec.chatTemplate };
  return { ...common, ...own, ...vocabulary.metadata, ...template };
}

function attentionMetadata(architecture: string, shape: Shape): Record<string, MetadataValue> {
  const result: Record<string, MetadataValue> = {
    [`${architecture}.attention.head_count`]: { uint32: shape.heads },
    [`${architecture}.attention.head_count_kv`]: { uint32: shape.kvHeads },
    [`${architecture}.attention.key_length`]: { uint32: shape.headSize },
    [`${architecture}.attention.value_length`]: { uint32: shape.headSize },
    [`${architecture}.rope.dimension_count`]: { uint32: shape.headSize },
    [`${architecture}.rope.freq_base`]: { float32: 10_000 },
  };
  if (architecture === 'gemma3') {
    result['gemma3.attention.sliding_window'] = { uint32: shape.slidingWindow };
    result['gemma3.attention.sliding_window_pattern'] = { uint32: 2 };
    result['gemma3.rope.freq_base_swa'] = { float32: 1_000 };
  }
  return result;
}

function transformerTensors(weights: Weights, { architecture, shape }: ModelSpec): void {
  const { embeddingSize, feedForwardSize, headSize } = shape;
  const querySize = shape.heads * headSize;
  const kvSize = shape.kvHeads * headSize;
  const isGemma = architecture === 'gemma3';
  ends(weights, shape);
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = (name: string) => `blk.${layer}.${name}.weight`;
    weights.norm(block('attn_norm'), embeddingSize);
    weights.matrix(block('attn_q'), embeddingSize, querySize);
    weights.matrix(block('attn_k'), embeddingSize, kvSize);
    weights.matrix(block('attn_v'), embeddingSize, kvSize);
    weights.matrix(block('attn_output'), querySize, embeddingSize);
    if (architecture !== 'llama') {
      weights.norm(block('attn_q_norm'), headSize);
      weights.norm(block('attn_k_norm'), headSize);
    }
    if (isGemma) weights.norm(block('post_attention_norm'), embeddingSize);
    weights.norm(block('ffn_norm'), embeddingSize);
    weights.matrix(block('ffn_gate'), embeddingSize, feedForwardSize);
    weights.matrix(block('ffn_up'), embeddingSize, feedForwardSize);
    weights.matrix(block('ffn_down'), feedForwardSize, embeddingSize);
    if (isGemma) weights.norm(block('post_ffw_norm'), embeddingSize);
  }
}

/** Sizes of the selective state space: the loader accepts an expansion of 2 only. */
function mambaSizes(shape: Shape) {
  return {
    inner: 2 * shape.embeddingSize,
    state: 16,
    kernel: 4,
    rank: Math.max(1, shape.embeddingSize / 16),
  };
}

function mambaMetadata(shape: Shape): Record<string, MetadataValue> {
  const { inner, state, kernel, rank } = mambaSizes(shape);
  return {
    'mamba.attention.head_count': { uint32: 0 },
    'mamba.ssm.conv_kernel': { uint32: kernel },
    'mamba.ssm.inner_size': { uint32: inner },
    'mamba.ssm.state_size': { uint32: state },
    'mamba.ssm.time_step_rank': { uint32: rank },
  };
}

function mambaTensors(weights: Weights, shape: Shape): void {
  const { embeddingSize } = shape;
  const { inner, state, kernel, rank } = mambaSizes(shape);
  ends(weights, shape);
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = (name: string) => `blk.${layer}.${name}`;
    weights.norm(block('attn_norm.weight'), embeddingSize);
    weights.matrix(block('ssm_in.weight'), embeddingSize, 2 * inner);
    weights.vector(block('ssm_conv1d.weight'), [kernel, inner], 0.5);
    weights.vector(block('ssm_conv1d.bias'), [inner], 0.1);
    weights.matrix(block('ssm_x.weight'), inner, rank + 2 * state);
    weights.matrix(block('ssm_dt.weight'), rank, inner);
    weights.vector(block('ssm_dt.bias'), [inner], 1);
    // Decay rates −1 … −state in every channel, Mamba's own initialisation (arXiv 2312.00752, 3.6).
    weights.constant(block('ssm_a'), [state, inner], (i) => -1 - (i % state));
    weights.constant(block('ssm_d'), [inner], () => 1);
    weights.matrix(block('ssm_out.weight'), inner, embeddingSize);
  }
}

function ends(weights: Weights, shape: Shape): void {
  weights.vector('token_embd.weight', [shape.embeddingSize, shape.vocabSize], 1, 'f16');
  weights.norm('output_norm.weight', shape.embeddingSize);
  // Three times the usual width: logits far enough apart that rounding seldom changes which is the largest.
  weights.vector(
    'output.weight',
    [shape.embeddingSize, shape.vocabSize],
    3 / Math.sqrt(shape.embeddingSize),
    'f16',
  );
}

/** Draws tensors in order from one seed. */
class Weights {
  readonly tensors: Tensor[] = [];
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** A linear layer that keeps its input's variance. */
  matrix(name: string, inputs: number, outputs: number): void {
    this.vector(name, [inputs, outputs], 1 / Math.sqrt(inputs), 'f16');
  }

  vector(name: string, shape: number[], deviation: number, type: Tensor['type'] = 'f32'): void {
    const count = shape.reduce((product, size) => product * size, 1);
    this.tensors.push({ name, shape, type, values: this.#random.spread(count, deviation) });
  }

  norm(name: string, size: number): void {
    const values = this.#random.spread(size, 0.1).map((value) => 1 + value);
    this.tensors.push({ name, shape: [size], type: 'f32', values });
  }

  constant(name: string, shape: number[], value: (index: number) => number): void {
    const count = shape.reduce((product, size) => product * size, 1);
    this.tensors.push({
      name,
      shape,
      type: 'f32',
      values: Float32Array.from({ length: count }, (_, i) => value(i)),
    });
  }
}
