import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CheckpointTexts, planBert } from '../../src/models/convert/bert.js';
import { ggufData } from '../../src/models/convert/gguf-data.js';
import { Safetensors } from '../../src/models/convert/safetensors.js';
import { Random } from './gguf/random.js';

/** A sentence-transformers checkpoint of random weights: two layers, vectors of 32 numbers, texts of up to 64 tokens. */
export const tinySize = 32;
export const tinyMaxTokens = 64;
const layers = 2;
const feedForward = 64;

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'.split('');
const words = ['the', 'cat', 'sat', 'on', 'mat', 'hello', 'world'];
export const tinyPieces = [
  ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
  ...letters,
  ...letters.map((letter) => `##${letter}`),
  ...['.', ',', '!', '?'],
  ...words,
];

export interface Checkpoint {
  texts: CheckpointTexts;
  safetensors: Buffer;
}

export function tinyCheckpoint(seed = 1): Checkpoint {
  return {
    texts: {
      config: {
        model_type: 'bert',
        hidden_act: 'gelu',
        hidden_size: tinySize,
        intermediate_size: feedForward,
        num_attention_heads: 2,
        num_hidden_layers: layers,
        max_position_embeddings: tinyMaxTokens,
        type_vocab_size: 2,
        layer_norm_eps: 1e-12,
      },
      tokenizer: { do_lower_case: true },
      pooling: { pooling_mode_mean_tokens: true },
      vocabulary: `${tinyPieces.join('\n')}\n`,
    },
    safetensors: encodeSafetensors(tinyTensors(seed)),
  };
}

/** The checkpoint's files by their names. */
export function checkpointFiles({ texts, safetensors }: Checkpoint): Record<string, Buffer | string> {
  return {
    'config.json': JSON.stringify(texts.config),
    'tokenizer_config.json': JSON.stringify(texts.tokenizer),
    '1_Pooling/config.json': JSON.stringify(texts.pooling),
    'vocab.txt': texts.vocabulary,
    'model.safetensors': safetensors,
  };
}

/** Path of the tiny encoder as a GGUF file, in a folder that goes when the process ends. */
export async function tinyEncoder(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-encoder-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return await writeEncoder(tinyCheckpoint(), directory);
}

export async function writeEncoder({ texts, safetensors }: Checkpoint, directory: string): Promise<string> {
  const source = join(directory, `${randomUUID()}.safetensors`);
  writeFileSync(source, safetensors);
  const weights = await Safetensors.open(source);
  try {
    const chunks: Buffer[] = [];
    const plan = planBert('tiny-encoder', texts, weights.tensors);
    for await (const chunk of ggufData(plan, weights)) chunks.push(chunk);
    const path = join(directory, 'tiny-encoder.gguf');
    writeFileSync(path, Buffer.concat(chunks));
    return path;
  } finally {
    await weights.close();
  }
}

export interface RawTensor {
  shape: number[]; // outermost first
  values: Float32Array;
}

export function encodeSafetensors(tensors: Record<string, RawTensor>): Buffer {
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const data = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer));
  return Buffer.concat([length, json, ...data]);
}

export function tinyTensors(seed: number): Record<string, RawTensor> {
  const random = new Random(seed);
  const tensors: Record<string, RawTensor> = {};
  const add = (name: string, ...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = /LayerNorm\.weight$/.test(name)
      ? new Float32Array(count).fill(1)
      : random.spread(count, 0.3);
    tensors[name] = { shape, values };
  };
  const dense = (name: string, outputs: number, inputs: number) => {
    add(`${name}.weight`, outputs, inputs);
    add(`${name}.bias`, outputs);
  };
  const norm = (name: string) => {
    add(`${name}.weight`, tinySize);
    add(`${name}.bias`, tinySize);
  };
  add('embeddings.word_embeddings.weight', tinyPieces.length, tinySize);
  add('embeddings.position_embeddings.weight', tinyMaxTokens, tinySize);
  add('embeddings.token_type_embeddings.weight', 2, tinySize);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) dense(`${at}.attention.self.${part}`, tinySize, tinySize);
    dense(`${at}.attention.output.dense`, tinySize, tinySize);
    norm(`${at}.attention.output.LayerNorm`);
    dense(`${at}.intermediate.dense`, feedForward, tinySize);
    dense(`${at}.output.dense`, tinySize, feedForward);
    norm(`${at}.output.LayerNorm`);
  }
  dense('pooler.dense', tinySize, tinySize); // not part of a vector
  return tensors;
}
