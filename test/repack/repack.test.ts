import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { previewRepack, repack } from '../../src/repack/repack.js';
import { RepackedStore } from '../../src/repack/repacked-store.js';
import { temporaryDirectory } from '../models/support/setup.js';
import { corruptFixture, fixture } from '../support/gguf/fixtures.js';
import { assertSameModel } from './support/compare.js';
import { type Speeds, scriptedTools, source } from './support/setup.js';

const faster: Speeds = () => 1.5;
const slower: Speeds = () => 0.8;

async function filesIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).filter((name) => name.includes('.gguf'));
}

test('where it pays the copy is made, and the second start uses it', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = scriptedTools(directory, faster);
  const made = await repack(source, 'auto', first);
  assert.equal(made.isRepacked, true);
  assert.match(made.detail, /^8 tensors as Q8_0 \(\+.*1\.50×/);
  assert.equal(first.written.length, 1);
  assert.equal((await assertSameModel(source.path, made.path)).length, 8);

  const { ino } = await stat(made.path);
  const second = scriptedTools(directory, faster);
  assert.deepEqual(await repack(source, 'auto', second), made);
  assert.deepEqual([second.timed, second.written], [[], []]);
  assert.equal((await stat(made.path)).ino, ino);
});

test("where it doesn't pay the model stays, and that is remembered", async (t) => {
  const directory = await temporaryDirectory(t);
  const first = scriptedTools(directory, slower);
  const outcome = await repack(source, 'auto', first);
  assert.equal(outcome.path, source.path);
  assert.match(outcome.detail, /^kept as they are: .*0\.80×.*not worth it/);
  const second = scriptedTools(directory, faster);
  assert.equal((await repack(source, 'auto', second)).isRepacked, false);
  assert.deepEqual(second.timed, []);
  assert.deepEqual(await filesIn(directory), []);
});

test('an abort while it is written leaves nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const stop = new AbortController();
  const tools = scriptedTools(directory, faster);
  const outcome = await repack(source, 'auto', {
    ...tools,
    signal: stop.signal,
    onWriting: () => stop.abort(),
  });
  assert.equal(outcome.isRepacked, false);
  assert.deepEqual(await filesIn(directory), []);
});

test('another CPU, release or number of threads is measured anew', async (t) => {
  const directory = await temporaryDirectory(t);
  await repack(source, 'auto', scriptedTools(directory, slower));
  for (const change of [{ cpuVariant: 'x' }, { cpuModel: 'x' }, { llamaRelease: 'x' }, { threads: 1 }]) {
    const tools = scriptedTools(directory, slower);
    const machine = tools.machine();
    await repack(source, 'auto', {
      ...tools,
      machine: () => ({ ...machine, cpu: { ...machine.cpu, ...change } }),
    });
    assert.notEqual(tools.timed.length, 0, JSON.stringify(change));
  }
});

test('each type is judged by itself', async (t) => {
  const directory = await temporaryDirectory(t);
  const speeds: Speeds = (type) => (type === 'q5_0' ? 1.5 : 0.8);
  const { path } = await repack(source, 'auto', scriptedTools(directory, speeds));
  const changed = await assertSameModel(source.path, path);
  assert.ok(changed.length === 6 && changed.every((name) => !name.includes('ffn_up')));
});

test('a machine too busy to tell leaves the model, and is asked again', async (t) => {
  const directory = await temporaryDirectory(t);
  let shared = 0;
  const unsteady: Speeds = (_, __, threads) => (threads > 1 && shared++ % 2 === 0 ? 5 : 1.5);
  const outcome = await repack(source, 'auto', scriptedTools(directory, unsteady));
  assert.match(outcome.detail, /too busy/);
  const later = scriptedTools(directory, faster);
  assert.equal((await repack(source, 'auto', later)).isRepacked, true);
});

test('a GPU, little memory and a full disk leave the model', async (t) => {
  const directory = await temporaryDirectory(t);
  const tools = scriptedTools(directory, faster);
  const machine = tools.machine();
  const gpu = { ...tools, machine: () => ({ ...machine, usesGpu: true }) };
  assert.match((await repack(source, 'auto', gpu)).detail, /GPU/);
  const small = { ...tools, machine: () => ({ ...machine, memoryAvailableBytes: 1_000_000 }) };
  assert.match((await repack(source, 'auto', small)).detail, /memory/);
  const full = { ...tools, freeBytes: async () => 1_000_000 };
  assert.match((await repack(source, 'auto', full)).detail, /disk space/);
  assert.deepEqual(await filesIn(directory), []);
  await assert.rejects(repack(source, 'on', full), { code: 'insufficient_storage' });
});

test("'on' asks no one, 'off' does nothing", async (t) => {
  const directory = await temporaryDirectory(t);
  const tools = {
    ...scriptedTools(directory, slower),
    machine: () => assert.fail('the machine has no say'),
  };
  assert.deepEqual(await repack(source, 'off', tools), {
    path: source.path,
    isRepacked: false,
    detail: 'kept as they are: switched off',
  });
  assert.equal((await repack(source, 'on', tools)).isRepacked, true);
});

test('models without such weights are left alone in every mode', async (t) => {
  const tools = scriptedTools(await temporaryDirectory(t), faster);
  for (const mode of ['auto', 'on'] as const) {
    const outcome = await repack({ path: fixture('qwen3'), revision: 'a' }, mode, tools);
    assert.equal(outcome.path, fixture('qwen3'));
  }
});

test('a damaged source is left to the loader, or refused where the copy was asked for', async (t) => {
  const tools = scriptedTools(await temporaryDirectory(t), faster);
  const damaged = { path: corruptFixture('llama-q5', 'truncated-data'), revision: 'a' };
  assert.match((await repack(damaged, 'auto', tools)).detail, /cut short/);
  await assert.rejects(repack(damaged, 'on', tools), { code: 'model_checksum_mismatch' });
});

test('a copy of another length is made again', async (t) => {
  const tools = scriptedTools(await temporaryDirectory(t), faster);
  const { path } = await repack(source, 'auto', tools);
  const whole = readFileSync(path);
  await truncate(path, 1000);
  await repack(source, 'auto', tools);
  assert.ok(readFileSync(path).equals(whole));
});

test("a new revision's copy replaces the old one's; other choices of types stay", async (t) => {
  const directory = await temporaryDirectory(t);
  await repack(source, 'auto', scriptedTools(directory, faster));
  const other = scriptedTools(directory, (type) => (type === 'q5_0' ? 1.5 : 0.8));
  const machine = other.machine();
  await repack(source, 'auto', {
    ...other,
    machine: () => ({ ...machine, cpu: { ...machine.cpu, cpuVariant: 'x' } }),
  });
  assert.equal((await filesIn(directory)).length, 2);
  const renewed = await repack({ ...source, revision: 'b' }, 'auto', scriptedTools(directory, faster));
  assert.deepEqual(
    (await filesIn(directory)).map((name) => join(directory, name)),
    [renewed.path],
  );
});

test('what others left is removed, and everything with the model', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = new RepackedStore(directory);
  const { path } = await repack(source, 'auto', scriptedTools(directory, faster));
  await truncate(path, 1000);
  await writeFile(`${path}.1234.draft`, 'half');
  await repack(source, 'auto', scriptedTools(directory, faster));
  assert.equal((await filesIn(dirname(path))).length, 1);
  await store.forget(source.path);
  assert.deepEqual(await filesIn(directory), []);
});

test('a preview tells the same and writes nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const tools = scriptedTools(directory, faster);
  assert.match(await previewRepack(source, tools), /^8 tensors .* at the next start$/);
  assert.deepEqual(await readdir(directory), []);
  const { path } = await repack(source, 'auto', tools);
  assert.ok((await previewRepack(source, tools)).endsWith(`in ${path}`));
  assert.match(
    await previewRepack(source, scriptedTools(await temporaryDirectory(t), slower)),
    /not worth it/,
  );
});
