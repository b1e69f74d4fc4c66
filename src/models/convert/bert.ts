import { z } from 'zod';
import type { MetadataValue, TensorShape } from '../../gguf/header-writer.js';
import { TensorType } from '../../gguf/tensor-types.js';
import { wordPieceMetadata } from './bert-vocabulary.js';
import type { StoredTensor } from './safetensors.js';
import { unsupported } from './unsupported.js';

/** A tensor of the GGUF file, and the checkpoint's that it is made of. */
export interface PlannedTensor extends TensorShape {
  source: StoredTensor;
}

export interface ConversionPlan {
  metadata: Record<string, MetadataValue>;
  tensors: PlannedTensor[];
}

/** The texts of a sentence-transformers checkpoint beside its weights. */
export interface CheckpointTexts {
  config: unknown; // config.json
  tokenizer: unknown; // tokenizer_config.json
  pooling: unknown; // 1_Pooling/config.json
  vocabulary: string; // vocab.txt
}

const positive = z.int().positive();
const configSchema = z.object({
  model_type: z.literal('bert'),
  hidden_act: z.literal('gelu'),
  position_embedding_type: z.literal('absolute').default('absolute'),
  hidden_size: positive,
  intermediate_size: positive,
  num_attention_heads: positive,
  num_hidden_layers: positive,
  max_position_embeddings: positive,
  type_vocab_size: positive,
  layer_norm_eps: z.number().positive(),
});
const tokenizerSchema = z.object({ do_lower_case: z.boolean().default(true) });
const poolingSchema = z.object({
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
});

/** llama_pooling_type of llama.h. */
const PoolingType = { mean: 1, cls: 2 } as const;

/** general.file_type: matrices mostly F16 (llama_ftype of llama.h). */
const fileType = 1;

const embeddingNames: Record<string, string> = {
  'word_embeddings.weight': 'token_embd.weight',
  'position_embeddings.weight': 'position_embd.weight',
  'token_type_embeddings.weight': 'token_types.weight',
  'LayerNorm.weight': 'token_embd_norm.weight',
  'LayerNorm.bias': 'token_embd_norm.bias',
};

/** Each has a weight and a bias. */
const layerNames: Record<string, string> = {
  'attention.self.query': 'attn_q',
  'attention.self.key': 'attn_k',
  'attention.self.value': 'attn_v',
  'attention.output.dense': 'attn_output',
  'attention.output.LayerNorm': 'attn_output_norm',
  'intermediate.dense': 'ffn_up',
  'output.dense': 'ffn_down',
  'output.LayerNorm': 'layer_output_norm',
};

/** How a BERT encoder of sentence-transformers becomes a GGUF file. Throws model_not_found for what isn't one. */
export function planBert(
  name: string,
  texts: CheckpointTexts,
  stored: ReadonlyMap<string, StoredTensor>,
): ConversionPlan {
  const config = read(configSchema, texts.config, 'config.json');
  const { do_lower_case } = read(tokenizerSchema, texts.tokenizer, 'tokenizer_config.json');
  const metadata: Record<string, MetadataValue> = {
    'general.architecture': 'bert',
    'general.type': 'model',
    'general.name': name,
    'general.file_type': { uint32: fileType },
    'bert.block_count': { uint32: config.num_hidden_layers },
    'bert.context_length': { uint32: config.max_position_embeddings },
    'bert.embedding_length': { uint32: config.hidden_size },
    'bert.feed_forward_length': { uint32: config.intermediate_size },
    'bert.attention.head_count': { uint32: config.num_attention_heads },
    'bert.attention.layer_norm_epsilon': { float32: config.layer_norm_eps },
    'bert.attention.causal': false,
    'bert.pooling_type': { uint32: poolingType(read(poolingSchema, texts.pooling, '1_Pooling/config.json')) },
    'tokenizer.ggml.token_type_count': { uint32: config.type_vocab_size },
    ...wordPieceMetadata(texts.vocabulary, do_lower_case),
  };
  const tensors = [...tensorNames(config.num_hidden_layers)].map(([from, to]) =>
    planTensor(from, to, stored),
  );
  return { metadata, tensors };
}

function* tensorNames(layers: number): Generator<[from: string, to: string]> {
  for (const [from, to] of Object.entries(embeddingNames)) yield [`embeddings.${from}`, to];
  for (let layer = 0; layer < layers; layer++) {
    for (const [from, to] of Object.entries(layerNames)) {
      for (const part of ['weight', 'bias'])
        yield [`encoder.layer.${layer}.${from}.${part}`, `blk.${layer}.${to}.${part}`];
    }
  }
}

function planTensor(from: string, to: string, stored: ReadonlyMap<string, StoredTensor>): PlannedTensor {
  const source = stored.get(from) ?? stored.get(`bert.${from}`);
  if (!source) throw unsupported(`it has no tensor ${from}`);
  if (source.dtype !== 'F32') throw unsupported(`${from} is of type ${source.dtype}; F32 is read`);
  const shape = source.shape.toReversed();
  if (source.bytes !== shape.reduce((product, size) => product * size, 4))
    throw unsupported(`${from} isn't as long as its shape says`);
  // What is added to activations stays exact; matrices are rounded to half precision.
  const isMatrix = shape.length === 2 && !/^(position_embd|token_types)/.test(to);
  return { name: to, shape, type: isMatrix ? TensorType.f16 : TensorType.f32, source };
}

function poolingType({ pooling_mode_mean_tokens, pooling_mode_cls_token }: z.output<typeof poolingSchema>) {
  if (pooling_mode_mean_tokens === pooling_mode_cls_token)
    throw unsupported('its pooling is neither the mean of the tokens nor the first one');
  return pooling_mode_mean_tokens ? PoolingType.mean : PoolingType.cls;
}

function read<Schema extends z.ZodType>(schema: Schema, value: unknown, file: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw unsupported(`${file}, ${path.join('.')}: ${message}`);
}
