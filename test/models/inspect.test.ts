import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { toHalf } from '../../src/gguf/half.js';
import { inspectModel } from '../../src/models/inspect.js';
import {
  corruptFixture,
  corruptions,
  fixture,
  splitFixture,
  writeFixtures,
} from '../support/gguf/fixtures.js';
import { sha256, temporaryDirectory } from './support/setup.js';

test('the fixtures, as another GGUF reader sees them', async () => {
  const llama = await inspectModel(fixture('llama'));
  assert.deepEqual(
    { ...llama, parameters: 0 },
    {
      architecture: 'llama',
      name: 'Fixture llama',
      parameters: 0,
      quantisation: 'F16',
      context: 8192,
      layers: 2,
      embeddingSize: 128,
      vocabSize: 512,
      slidingWindow: null,
      chatTemplate: false,
      tensors: 21,
      files: 1,
      bytes: statSync(fixture('llama')).size,
    },
  );
  assert.equal((await inspectModel(fixture('gemma3-swa'))).slidingWindow, 32);
  assert.equal((await inspectModel(fixture('llama-chat'))).chatTemplate, true);
  assert.equal((await inspectModel(fixture('qwen3'))).vocabSize, 512);
  assert.equal((await inspectModel(fixture('mamba'))).architecture, 'mamba');
});

test('a split model, with all its parts counted', async () => {
  const parts = splitFixture('llama', 3);
  const whole = await inspectModel(fixture('llama'));
  const split = await inspectModel(parts[0]!);
  const bytes = parts.reduce((sum, path) => sum + statSync(path).size, 0);
  assert.deepEqual(split, { ...whole, files: 3, bytes });
});

test('parts that do not belong together are refused', async (t) => {
  const directory = await temporaryDirectory(t);
  const [first, , third] = splitFixture('llama', 3) as [string, string, string];
  const alone = join(directory, 'model.gguf');
  copyFileSync(first, alone);
  await assert.rejects(inspectModel(alone), /one of 3 files/);
  const names = [1, 2].map((part) => join(directory, `llama-0000${part}-of-00002.gguf`));
  copyFileSync(first, names[0]!);
  copyFileSync(third, names[1]!);
  await assert.rejects(inspectModel(names[0]!), /one of 3 files/);
});

test('fixtures are the same bytes each time, and small', async (t) => {
  const names = [
    ...(['llama', 'llama-chat', 'llama-tools', 'qwen3', 'gemma3-swa'] as const),
    ...(['gemma2', 'mpt', 'gpt-oss', 'llama4', 'mamba', 'llama-q5'] as const),
  ];
  const paths = writeFixtures(await temporaryDirectory(t));
  assert.deepEqual(
    paths.map((path) => sha256(readFileSync(path))),
    [...names.map(fixture), ...splitFixture('llama', 3)].map((path) => sha256(readFileSync(path))),
  );
  assert.ok(paths.every((path) => statSync(path).size < 2 ** 21));
});

test('damaged files are refused', async () => {
  // What a size overflows is seen where the tensors are made, not by a reader of headers.
  for (const how of corruptions.filter((corruption) => corruption !== 'tensor-size-overflow')) {
    await assert.rejects(
      inspectModel(corruptFixture('llama', how)),
      { code: 'model_checksum_mismatch' },
      how,
    );
  }
});

test('binary16', () => {
  const cases: [number, number][] = [
    [0, 0],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65520, 0x7c00],
    [1 + 2 ** -11, 0x3c00], // tie, to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000], // carries into the exponent
    [2 ** -14, 0x0400], // the smallest normal number
    [2 ** -15, 0x0200],
    [-3 * 2 ** -24, 0x8003],
    [2 ** -25, 0], // tie, to even
    [1.5 * 2 ** -25, 1],
    [2 ** -14 - 2 ** -26, 0x0400], // carries
    [2 ** -30, 0],
  ];
  for (const [value, bits] of cases) assert.equal(toHalf(value), bits, String(value));
});
