import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { corruptFixture, corruptions, fixture, splitFixture } from '../../test/support/gguf/fixtures.js';
import { cpuAddon, createContext, generate, loadModel } from '../../test/support/native.js';
import { cpuOptions } from './cpu-options.js';
import type { NativeErrorCode } from './types.js';

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
    const handle = cpuAddon().load(fixture('llama'), cpuOptions, (fraction) => fractions.push(fraction));
    const model = await handle.done;
    assert.deepEqual(
      fractions,
      fractions.toSorted((a, b) => a - b),
    );
    assert.equal(fractions.at(-1), 1);
    model.close();
  });

  test('cancelled before it is done', async () => {
    const handle = cpuAddon().load(fixture('llama-bench'), { ...cpuOptions, mmap: false }, () => {});
    handle.cancel();
    await assert.rejects(handle.done, { code: 'LOAD_CANCELLED' });
    handle.cancel();
  });

  test('cancelled by one of two who wait: the other gets the model', async () => {
    const options = { ...cpuOptions, mmap: false };
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

describe('a model in several files', () => {
  /** Copies of the parts, changed as `change` says: a part's new bytes, or null for none. */
  async function changed(change: Record<number, (bytes: Buffer) => Buffer | null>): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-native-'));
    const paths = splitFixture('llama', 3).map((path, part) => {
      const copy = join(directory, basename(path));
      const original = readFileSync(path);
      const bytes = change[part] ? change[part](original) : original;
      if (bytes !== null) writeFileSync(copy, bytes);
      return copy;
    });
    return paths[0]!;
  }

  async function refused(path: string, code: NativeErrorCode, message: RegExp): Promise<void> {
    await assert.rejects(loadModel(path), (error: Error & { code: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(!error.message.includes(dirname(path)), error.message);
      return true;
    });
  }

  test('computes what the whole file does', async () => {
    const answers: unknown[] = [];
    for (const path of [fixture('llama'), splitFixture('llama', 3)[0]!]) {
      const model = await loadModel(path);
      const context = createContext(model);
      const { sizeBytes, parameters } = model.info;
      const tokens = generate(context, model.tokenize('The capital of France', true, false), 24);
      answers.push({ sizeBytes, parameters, tokens });
      context.close();
      model.close();
    }
    assert.deepEqual(answers[0], answers[1]);
  });

  test('a missing part is named', async () => {
    const path = await changed({ 1: () => null });
    await refused(path, 'MODEL_NOT_FOUND', /Part 2 of 3 .* llama-00002-of-00003\.gguf/);
  });

  test('a damaged part is named', async () => {
    const path = await changed({ 2: (bytes) => bytes.subarray(0, bytes.length - 100_000) });
    await refused(path, 'MODEL_INVALID', /^llama-00003-of-00003\.gguf: /);
  });

  test('a part in the place of another', async () => {
    const [, , third] = splitFixture('llama', 3);
    const path = await changed({ 1: () => readFileSync(third!) });
    await refused(path, 'MODEL_INVALID', /llama-00002-of-00003\.gguf says it is another part/);
  });

  test('tensors twice, or too few', async () => {
    const [, second] = splitFixture('llama', 3).map((path) => readFileSync(path));
    const renumbered = Buffer.from(second!);
    renumbered.writeUInt16LE(2, renumbered.indexOf('split.no') + 'split.no'.length + 4);
    await refused(await changed({ 2: () => renumbered }), 'MODEL_INVALID', /two parts hold tensor/);
    const key = 'split.tensors.count';
    const more = (bytes: Buffer) => {
      bytes.writeInt32LE(99, bytes.indexOf(key) + key.length + 4);
      return bytes;
    };
    await refused(await changed({ 0: more }), 'MODEL_INVALID', /21 tensors instead of 99/);
  });

  test('numbers of a type that llama.cpp aborts on', async () => {
    const wrong = (bytes: Buffer) => {
      bytes.writeUInt32LE(3, bytes.indexOf('split.no') + 'split.no'.length); // int16
      return bytes;
    };
    await refused(await changed({ 1: wrong }), 'MODEL_INVALID', /split\.no is of the wrong type/);
  });

  test('a later part, and a first part of another name', async () => {
    const [first, second] = splitFixture('llama', 3);
    await refused(second!, 'MODEL_INVALID', /part 2 of 3; name the first/);
    const renamed = join(await mkdtemp(join(tmpdir(), 'sluice-native-')), 'model.gguf');
    writeFileSync(renamed, readFileSync(first!));
    await refused(renamed, 'MODEL_INVALID', /must end in -00001-of-00003\.gguf/);
  });
});

describe('arguments', () => {
  test('of load', () => {
    const load = cpuAddon().load as (...args: unknown[]) => unknown;
    assert.throws(() => load(1, cpuOptions, () => {}), TypeError);
    assert.throws(() => load('a\0b', cpuOptions, () => {}), TypeError);
    assert.throws(() => load('a', cpuOptions, 1), TypeError);
    assert.throws(() => load('a', { ...cpuOptions, gpuLayers: -2 }, () => {}), RangeError);
    assert.throws(() => load('a', { ...cpuOptions, gpuLayers: Number.NaN }, () => {}), RangeError);
    assert.throws(() => load('a', { ...cpuOptions, tensorSplit: [Number.NaN] }, () => {}), RangeError);
    assert.throws(() => load('a', { ...cpuOptions, tensorSplit: Array(99).fill(1) }, () => {}), RangeError);
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
