import type { MetadataValue } from './gguf-writer.js';
import type { Shape } from './models.js';
import type { Weights } from './weights.js';

/** Sizes of the selective state space: the loader accepts an expansion of 2 only. */
function sizes(shape: Shape) {
  return {
    inner: 2 * shape.embeddingSize,
    state: 16,
    kernel: 4,
    rank: Math.max(1, shape.embeddingSize / 16),
  };
}

export function mambaMetadata(shape: Shape): Record<string, MetadataValue> {
  const { inner, state, kernel, rank } = sizes(shape);
  return {
    'mamba.attention.layer_norm_rms_epsilon': { float32: 1e-6 },
    'mamba.attention.head_count': { uint32: 0 },
    'mamba.ssm.conv_kernel': { uint32: kernel },
    'mamba.ssm.inner_size': { uint32: inner },
    'mamba.ssm.state_size': { uint32: state },
    'mamba.ssm.time_step_rank': { uint32: rank },
  };
}

export function mambaLayers(weights: Weights, shape: Shape): void {
  const { embeddingSize } = shape;
  const { inner, state, kernel, rank } = sizes(shape);
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
