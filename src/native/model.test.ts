import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { corruptFixture, corruptions, fixture } from '../../test/support/gguf/fixtures.js';
import { cpuAddon, loadModel, loadOptions } from '../../test/support/native.js';

function settledCounters() {
  return cpuAddon().counters();
}

describe('loading', () => {
  test('reads what the file says of the model', async () => {
    const model = await loadModel(fixture('llama'));
    const { info } = model;
    assert.equal(info.architecture, 'llama');
    assert.equal(info.name, 'Fixture llama');
    assert.equal(info.vocabSize, 512);
    assert.equal(info.layers, 2);
    assert.equal(info.heads, 4);
    assert.equal(info.kvHeads, 2);
    assert.equal(info.embeddingSize, 128);
    assert.equal(info.trainContext, 8192);
    assert.equal(info.recurrent, false);
    assert.equal(info.metadata['general.architecture'], 'llama');
    model.close();
  });

  test('the same file is loaded once, and freed with its last reference', async () => {
    const before = settledCounters().models;
    const models = await Promise.all([loadModel(fixture('qwen3')), loadModel(fixture('qwen3'))]);
    assert.equal(settledCounters().models, before + 1);
    models[0]!.close();
    assert.equal(settledCounters().models, before + 1);
    models[1]!.close();
    assert.equal(settledCounters().models, before);
  });

  test('progress rises to 1', async () => {
    const fractions: number[] = [];
    const handle = cpuAddon().load(fixture('llama'), loadOptions, (fraction) => fractions.push(fraction));
    const model = await handle.done;
    assert.deepEqual(
      fractions,
      fractions.toSorted((a, b) => a - b),
    );
    assert.equal(fractions.at(-1), 1);
    model.close();
  });

  test('cancelled before it is done', async () => {
    const handle = cpuAddon().load(fixture('llama-bench'), { ...loadOptions, mmap: false }, () => {});
    handle.cancel();
    await assert.rejects(handle.done, { code: 'LOAD_CANCELLED' });
    handle.cancel();
  });

  test('cancelled by one of two who wait: the other gets the model', async () => {
    const options = { ...loadOptions, mmap: false };
    const first = cpuAddon().load(fixture('llama-bench'), options, () => {});
    const second = cpuAddon().load(fixture('llama-bench'), options, () => {});
    first.cancel();
    await assert.rejects(first.done, { code: 'LOAD_CANCELLED' });
    const model = await second.done;
    assert.equal(model.info.name, 'Fixture bench');
    model.close();
  });

  test('a closed model refuses', async () => {
    const model = await loadModel(fixture('llama'));
    model.close();
    model.close();
    assert.throws(() => model.tokenize('a', false, false), { code: 'CLOSED' });
    assert.equal(model.info.name, 'Fixture llama');
  });
});

describe('files that are no model', () => {
  for (const how of corruptions) {
    test(how, async () => {
      const path = corruptFixture('llama', how);
      await assert.rejects(loadModel(path), (error: Error & { code: string }) => {
        assert.equal(error.code, 'MODEL_INVALID');
        assert.ok(!error.message.includes(path), error.message);
        return true;
      });
    });
  }

  test('no file, a directory', async () => {
    await assert.rejects(loadModel('/nonexistent.gguf'), { code: 'MODEL_NOT_FOUND' });
    await assert.rejects(loadModel(tmpdir()), { code: 'MODEL_INVALID' });
  });

  test('a header without tensors', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'sluice-native-')), 'empty.gguf');
    const header = Buffer.alloc(24);
    header.write('GGUF', 'latin1');
    header.writeUInt32LE(3, 4);
    writeFileSync(path, header);
    await assert.rejects(loadModel(path), { code: 'MODEL_INVALID' });
    assert.ok(existsSync(path));
  });
});

describe('arguments', () => {
  test('of load', () => {
    const load = cpuAddon().load as (...args: unknown[]) => unknown;
    assert.throws(() => load(1, loadOptions, () => {}), TypeError);
    assert.throws(() => load('a\0b', loadOptions, () => {}), TypeError);
    assert.throws(() => load('a', loadOptions, 1), TypeError);
    assert.throws(() => load('a', { ...loadOptions, gpuLayers: -2 }, () => {}), RangeError);
    assert.throws(() => load('a', { ...loadOptions, gpuLayers: Number.NaN }, () => {}), RangeError);
    assert.throws(() => load('a', { ...loadOptions, tensorSplit: [Number.NaN] }, () => {}), RangeError);
    assert.throws(() => load('a', { ...loadOptions, tensorSplit: Array(99).fill(1) }, () => {}), RangeError);
  });

  test('a model is only what load() gave', async () => {
    const model = await loadModel(fixture('llama'));
    const createContext = cpuAddon().createContext as (...args: unknown[]) => unknown;
    assert.throws(() => createContext({}, {}), TypeError);
    assert.throws(() => createContext(Object.create(Object.getPrototypeOf(model)), {}), TypeError);
    assert.throws(() => new (model.constructor as new () => unknown)(), TypeError);
    model.close();
  });
});
