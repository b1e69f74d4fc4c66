import { dataAlignment, encodeHeader, type MetadataValue } from '../../src/gguf/header-writer.js';
import type { Shape } from '../../test/support/gguf/models.js';
import { byteLevelVocabulary } from '../../test/support/gguf/vocabulary.js';
import { RandomWeights, type WeightType, weightTypes } from './random-weights.js';

export type ModelShape = Omit<Shape, 'seed' | 'slidingWindow'>;

export const modelShapes: Record<string, ModelShape> = {
  '8b': {
    layers: 32,
    embeddingSize: 4096,
    feedForwardSize: 14336,
    heads: 32,
    kvHeads: 8,
    headSize: 128,
    vocabSize: 128_256,
    context: 131_072,
  },
  '1b': {
    layers: 16,
    embeddingSize: 2048,
    feedForwardSize: 8192,
    heads: 32,
    kvHeads: 8,
    headSize: 64,
    vocabSize: 128_256,
    context: 131_072,
  },
};

/** Types by tensor as llama.cpp's quantisation of that name has them, nearly: every second layer has the better ones. */
export const weightMixes = {
  f16: () => 'f16',
  q4_k_m: (stem: string, layer: number) =>
    stem === 'output' || (/^(attn_v|ffn_down)$/.test(stem) && layer % 2 === 0) ? 'q6_k' : 'q4_k',
} satisfies Record<string, (stem: string, layer: number) => WeightType>;

export type WeightMix = keyof typeof weightMixes;

interface Tensor {
  name: string;
  shape: number[]; // innermost first
  type: WeightType;
  deviation: number;
}

/** A file of that shape with random weights, in pieces: as much work as a model, and nonsense to read. */
export function* randomModel(shape: ModelShape, mix: WeightMix, seed: number): Generator<Buffer> {
  const tensors = tensorsOf(shape, mix);
  const weights = new RandomWeights(seed);
  yield encodeHeader(
    metadataOf(shape),
    tensors.map(({ name, shape, type }) => ({ name, shape, type: weightTypes[type] })),
  );
  for (const { type, shape, deviation } of tensors) {
    let bytes = 0;
    for (const piece of weights.bytes(type, shape, deviation)) {
      bytes += piece.length;
      yield piece;
    }
    yield Buffer.alloc((dataAlignment - (bytes % dataAlignment)) % dataAlignment);
  }
}

function tensorsOf(shape: ModelShape, mix: WeightMix): Tensor[] {
  const { embeddingSize, feedForwardSize, headSize, vocabSize } = shape;
  const tensors: Tensor[] = [];
  const add = (stem: string, sizes: number[], deviation: number, layer = -1) =>
    tensors.push({
      name: `${layer < 0 ? '' : `blk.${layer}.`}${stem}.weight`,
      shape: sizes,
      type: sizes.length === 1 ? 'f32' : weightMixes[mix](stem, layer),
      deviation,
    });
  add('token_embd', [embeddingSize, vocabSize], 1);
  for (let layer = 0; layer < shape.layers; layer++) {
    const matrix = (stem: string, inputs: number, outputs: number) =>
      add(stem, [inputs, outputs], 1 / Math.sqrt(inputs), layer);
    add('attn_norm', [embeddingSize], 1, layer);
    matrix('attn_q', embeddingSize, shape.heads * headSize);
    matrix('attn_k', embeddingSize, shape.kvHeads * headSize);
    matrix('attn_v', embeddingSize, shape.kvHeads * headSize);
    matrix('attn_output', shape.heads * headSize, embeddingSize);
    add('ffn_norm', [embeddingSize], 1, layer);
    matrix('ffn_gate', embeddingSize, feedForwardSize);
    matrix('ffn_up', embeddingSize, feedForwardSize);
    matrix('ffn_down', feedForwardSize, embeddingSize);
  }
  add('output_norm', [embeddingSize], 1);
  // Three times the usual width: logits far enough apart that rounding seldom changes which is the largest.
  add('output', [embeddingSize, vocabSize], 3 / Math.sqrt(embeddingSize));
  return tensors;
}

function metadataOf(shape: ModelShape): Record<string, MetadataValue> {
  return {
    'general.architecture': 'llama',
    'general.name': 'random weights',
    'general.type': 'model',
    'llama.context_length': { uint32: shape.context },
    'llama.embedding_length': { uint32: shape.embeddingSize },
    'llama.block_count': { uint32: shape.layers },
    'llama.feed_forward_length': { uint32: shape.feedForwardSize },
    'llama.attention.layer_norm_rms_epsilon': { float32: 1e-5 },
    'llama.attention.head_count': { uint32: shape.heads },
    'llama.attention.head_count_kv': { uint32: shape.kvHeads },
    'llama.attention.key_length': { uint32: shape.headSize },
    'llama.attention.value_length': { uint32: shape.headSize },
    'llama.rope.dimension_count': { uint32: shape.headSize },
    'llama.rope.freq_base': { float32: 500_000 },
    'llama.vocab_size': { uint32: shape.vocabSize },
    ...byteLevelVocabulary(shape.vocabSize).metadata,
  };
}
