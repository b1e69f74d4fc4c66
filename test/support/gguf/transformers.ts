import type { MetadataValue } from './gguf-writer.js';
import type { Shape } from './models.js';
import type { Weights } from './weights.js';

export type Transformer = 'llama' | 'qwen3' | 'gemma2' | 'gemma3' | 'mpt' | 'gpt-oss' | 'llama4';

interface Plan {
  /** Names the metadata's epsilon, and decides what a norm subtracts and divides by. */
  norm: 'layer_norm_rms_epsilon' | 'layer_norm_epsilon';
  /** What the architecture's attention has beside the plain one: names without the architecture before them. */
  metadata(shape: Shape): Record<string, MetadataValue>;
  layer(layer: Layer): void;
}

/** Every second layer has a window. */
const windows = ({ slidingWindow }: Shape): Record<string, MetadataValue> => ({
  'attention.sliding_window': { uint32: slidingWindow },
  'attention.sliding_window_pattern': { uint32: 2 },
});

const rms = 'layer_norm_rms_epsilon';

const plans: Record<Transformer, Plan> = {
  llama: {
    norm: rms,
    metadata: () => ({}),
    layer(layer) {
      layer.attention();
      layer.norm('ffn_norm');
      layer.gatedFeedForward();
    },
  },
  qwen3: {
    norm: rms,
    metadata: () => ({}),
    layer(layer) {
      layer.attention();
      layer.headNorms();
      layer.norm('ffn_norm');
      layer.gatedFeedForward();
    },
  },
  /** Windows, and scores capped so low that most of them are bent (Gemma 2 itself: 50). */
  gemma2: {
    norm: rms,
    metadata: (shape) => ({
      ...windows(shape),
      attn_logit_softcapping: { float32: 2 },
      final_logit_softcapping: { float32: 30 },
    }),
    layer(layer) {
      layer.attention();
      layer.norm('post_attention_norm');
      layer.norm('ffn_norm');
      layer.gatedFeedForward();
      layer.norm('post_ffw_norm');
    },
  },
  gemma3: {
    norm: rms,
    metadata: (shape) => ({ ...windows(shape), 'rope.freq_base_swa': { float32: 1_000 } }),
    layer(layer) {
      layer.attention();
      layer.headNorms();
      layer.norm('post_attention_norm');
      layer.norm('ffn_norm');
      layer.gatedFeedForward();
      layer.norm('post_ffw_norm');
    },
  },
  /** Positions by ALiBi alone. */
  mpt: {
    norm: 'layer_norm_epsilon',
    metadata: () => ({ 'attention.max_alibi_bias': { float32: 8 } }),
    layer(layer) {
      layer.norm('attn_norm');
      layer.matrix('attn_qkv', layer.embeddingSize, layer.querySize + 2 * layer.kvSize);
      layer.matrix('attn_output', layer.querySize, layer.embeddingSize);
      layer.norm('ffn_norm');
      layer.matrix('ffn_up', layer.embeddingSize, layer.feedForwardSize);
      layer.matrix('ffn_down', layer.feedForwardSize, layer.embeddingSize);
    },
  },
  /** Windows, attention sinks, and experts, all of which are used: rounding can't change which. */
  'gpt-oss': {
    norm: rms,
    metadata: (shape) => ({ ...windows(shape), ...experts(shape, 4) }),
    layer(layer) {
      layer.attention();
      layer.sinks();
      layer.norm('post_attention_norm');
      layer.experts(4);
    },
  },
  /** Three layers of four see the chunk of 8,192 positions that a token is in: llama.cpp's constants. Dense throughout. */
  llama4: {
    norm: rms,
    metadata: (shape) => ({
      ...experts(shape, 1),
      interleave_moe_layer_step: { uint32: 0 },
    }),
    layer: (layer) => plans.llama.layer(layer),
  },
};

function experts(shape: Shape, count: number): Record<string, MetadataValue> {
  return {
    expert_count: { uint32: count },
    expert_used_count: { uint32: count },
    expert_feed_forward_length: { uint32: shape.feedForwardSize },
  };
}

export function transformerMetadata(architecture: Transformer, shape: Shape): Record<string, MetadataValue> {
  const { norm, metadata } = plans[architecture];
  const keys: Record<string, MetadataValue> = {
    [`attention.${norm}`]: { float32: 1e-6 },
    'attention.head_count': { uint32: shape.heads },
    'attention.head_count_kv': { uint32: shape.kvHeads },
    'attention.key_length': { uint32: shape.headSize },
    'attention.value_length': { uint32: shape.headSize },
    'rope.dimension_count': { uint32: shape.headSize },
    'rope.freq_base': { float32: 10_000 },
    ...metadata(shape),
  };
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value]));
}

export function transformerLayers(architecture: Transformer, weights: Weights, shape: Shape): void {
  for (let index = 0; index < shape.layers; index++)
    plans[architecture].layer(new Layer(weights, shape, index));
}

/** Draws the tensors of one layer. */
class Layer {
  readonly embeddingSize: number;
  readonly feedForwardSize: number;
  readonly querySize: number;
  readonly kvSize: number;

  constructor(
    private readonly weights: Weights,
    private readonly shape: Shape,
    private readonly index: number,
  ) {
    this.embeddingSize = shape.embeddingSize;
    this.feedForwardSize = shape.feedForwardSize;
    this.querySize = shape.heads * shape.headSize;
    this.kvSize = shape.kvHeads * shape.headSize;
  }

  norm(name: string, size = this.embeddingSize): void {
    this.weights.norm(this.name(name), size);
  }

  matrix(name: string, inputs: number, outputs: number, ...experts: number[]): void {
    this.weights.matrix(this.name(name), inputs, outputs, ...experts);
  }

  attention(): void {
    this.norm('attn_norm');
    this.matrix('attn_q', this.embeddingSize, this.querySize);
    this.matrix('attn_k', this.embeddingSize, this.kvSize);
    this.matrix('attn_v', this.embeddingSize, this.kvSize);
    this.matrix('attn_output', this.querySize, this.embeddingSize);
  }

  headNorms(): void {
    this.norm('attn_q_norm', this.shape.headSize);
    this.norm('attn_k_norm', this.shape.headSize);
  }

  /** As large as what some hundred positions weigh together, so that heads differ by how much goes there. */
  sinks(): void {
    this.weights.vector(this.name('attn_sinks'), [this.shape.heads], 3);
  }

  gatedFeedForward(): void {
    this.matrix('ffn_gate', this.embeddingSize, this.feedForwardSize);
    this.matrix('ffn_up', this.embeddingSize, this.feedForwardSize);
    this.matrix('ffn_down', this.feedForwardSize, this.embeddingSize);
  }

  experts(count: number): void {
    const { embeddingSize, feedForwardSize } = this;
    this.matrix('ffn_gate_inp', embeddingSize, count);
    this.matrix('ffn_gate_exps', embeddingSize, feedForwardSize, count);
    this.matrix('ffn_up_exps', embeddingSize, feedForwardSize, count);
    this.matrix('ffn_down_exps', feedForwardSize, embeddingSize, count);
    this.bias('attn_output', embeddingSize);
    this.bias('ffn_gate_inp', count);
    this.bias('ffn_gate_exps', feedForwardSize, count);
    this.bias('ffn_up_exps', feedForwardSize, count);
    this.bias('ffn_down_exps', embeddingSize, count);
  }

  private bias(name: string, ...shape: number[]): void {
    this.weights.vector(this.name(name, 'bias'), shape, 0.1);
  }

  private name(name: string, kind: 'weight' | 'bias' = 'weight'): string {
    return `blk.${this.index}.${name}.${kind}`;
  }
}
