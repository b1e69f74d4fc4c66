import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { readGgufHeader } from '../../src/gguf/header.js';
import { TensorType } from '../../src/gguf/tensor-types.js';
import { writeRepacked } from '../../src/repack/convert.js';
import { planRepack, rewritable } from '../../src/repack/plan.js';
import { temporaryDirectory } from '../models/support/setup.js';
import { corruptFixture, corruptions, fixture } from '../support/gguf/fixtures.js';
import { realModel } from '../support/gguf/real-model.js';
import { createContext, distance, forward, loadModel, promptRows } from '../support/native.js';
import { assertSameModel } from './support/compare.js';

const both = new Set<number>([TensorType.q4_0, TensorType.q5_0]);
const never = new AbortController().signal;

async function convert(source: string, target: string, types: ReadonlySet<number> = both): Promise<void> {
  const header = readGgufHeader(source);
  await writeRepacked(source, header, planRepack(header, types), target, never);
}

test('the rewritten fixture says what the source says, in Q8_0 where it may', async (t) => {
  const target = join(await temporaryDirectory(t), 'rewritten.gguf');
  await convert(fixture('llama-q5'), target);
  const changed = await assertSameModel(fixture('llama-q5'), target);
  // Not token_embd.weight, which is Q5_0 too: output.weight multiplies, and the table is only looked up in.
  const perLayer = ['attn_q', 'attn_k', 'ffn_gate', 'ffn_up'];
  assert.deepEqual(
    changed,
    [0, 1].flatMap((layer) => perLayer.map((name) => `blk.${layer}.${name}.weight`)),
  );
});

test('only tensors of the types that are asked for change', async (t) => {
  const target = join(await temporaryDirectory(t), 'rewritten.gguf');
  await convert(fixture('llama-q5'), target, new Set([TensorType.q4_0]));
  const changed = await assertSameModel(fixture('llama-q5'), target);
  assert.deepEqual(changed, ['blk.0.ffn_up.weight', 'blk.1.ffn_up.weight']);
});

test('a model without such tensors would be copied as it is', async (t) => {
  const target = join(await temporaryDirectory(t), 'copy.gguf');
  await convert(fixture('qwen3'), target);
  assert.ok((await readFile(target)).equals(await readFile(fixture('qwen3'))));
});

test('a table that is looked up in and multiplied by is rewritten', () => {
  const header = readGgufHeader(fixture('llama-q5'));
  const tied = {
    ...header,
    tensors: header.tensors.filter(({ name }) => name !== 'output.weight'),
  };
  assert.ok(rewritable(tied).some(({ name }) => name === 'token_embd.weight'));
});

test('both files load, and give logits that differ by rounding only', async (t) => {
  const target = join(await temporaryDirectory(t), 'rewritten.gguf');
  await convert(fixture('llama-q5'), target);
  const prompt = Int32Array.from({ length: 40 }, (_, i) => (i * 37) % 500);
  const rows: Float32Array[] = [];
  for (const path of [fixture('llama-q5'), target]) {
    const model = await loadModel(path);
    const context = createContext(model);
    forward(context, promptRows(prompt, 0));
    rows.push(context.logits(0));
    context.close();
    model.close();
  }
  // Activations are rounded to 8 bits in both; only the order of sums, and so the last bits, differ.
  assert.ok(distance(rows[0]!, rows[1]!) < 1e-3);
});

test('the real model: every value of every rewritten tensor', async (t) => {
  const source = await realModel();
  const target = join(await temporaryDirectory(t), 'rewritten.gguf');
  await convert(source, target);
  const changed = await assertSameModel(source, target);
  assert.deepEqual(
    changed,
    rewritable(readGgufHeader(source)).map(({ name }) => name),
  );
});

for (const how of corruptions) {
  test(`a damaged header is refused: ${how}`, () => {
    assert.throws(() => readGgufHeader(corruptFixture('llama-q5', how)), { code: 'model_checksum_mismatch' });
  });
}

test('overlapping tensors are refused', async (t) => {
  const bytes = await readFile(fixture('llama-q5'));
  const name = 'output_norm.weight';
  const offsetAt = bytes.indexOf(name) + name.length + 4 + 8 + 4; // one dimension, type, then the offset
  bytes.writeBigUInt64LE(0n, offsetAt);
  const path = join(await temporaryDirectory(t), 'overlapping.gguf');
  await writeFile(path, bytes);
  assert.throws(() => readGgufHeader(path), { code: 'model_checksum_mismatch' });
});

test('a source that shrinks between the header and the data is refused', async (t) => {
  const directory = await temporaryDirectory(t);
  const source = join(directory, 'source.gguf');
  await writeFile(source, await readFile(fixture('llama-q5')));
  const header = readGgufHeader(source);
  await truncate(source, header.fileBytes - 1000);
  const target = join(directory, 'rewritten.gguf');
  await assert.rejects(writeRepacked(source, header, planRepack(header, both), target, never), {
    code: 'model_checksum_mismatch',
  });
});

test('writing stops when it is told to', async (t) => {
  const target = join(await temporaryDirectory(t), 'rewritten.gguf');
  const header = readGgufHeader(fixture('llama-q5'));
  const reason = new Error('another process took over');
  const plan = planRepack(header, both);
  await assert.rejects(
    writeRepacked(fixture('llama-q5'), header, plan, target, AbortSignal.abort(reason)),
    reason,
  );
});
