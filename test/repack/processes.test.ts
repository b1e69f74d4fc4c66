import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TensorType } from '../../src/gguf/tensor-types.js';
import { RepackedStore } from '../../src/repack/repacked-store.js';
import { temporaryDirectory } from '../models/support/setup.js';
import { assertSameModel } from './support/compare.js';
import { source } from './support/setup.js';

const script = fileURLToPath(new URL('./support/repack-child.js', import.meta.url));

function start(t: TestContext, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  throw new Error('ended without a word');
}

async function make(t: TestContext, directory: string): Promise<{ path: string; written: number }> {
  return JSON.parse(await firstLine(start(t, 'make', directory)));
}

/** A process that has written half of the copy; the path the copy will have. */
async function stalled(t: TestContext, directory: string): Promise<{ child: ChildProcess; path: string }> {
  const path = new RepackedStore(directory).pathOf(source, [TensorType.q4_0, TensorType.q5_0]);
  const child = start(t, 'stall', directory, path);
  assert.equal(await firstLine(child), 'half');
  return { child, path };
}

test('a process killed in the middle leaves no copy, and the next one makes it', async (t) => {
  const directory = await temporaryDirectory(t);
  const { child, path } = await stalled(t, directory);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await assert.rejects(stat(path), { code: 'ENOENT' });
  assert.deepEqual(await make(t, directory), { path, written: 1 });
  await assertSameModel(source.path, path);
  const left = (await readdir(dirname(path))).filter((name) => name.endsWith('.draft'));
  assert.deepEqual(left, []);
});

test('processes that start together write the copy once', async (t) => {
  const directory = await temporaryDirectory(t);
  const { child } = await stalled(t, directory);
  const others = [make(t, directory), make(t, directory), make(t, directory)];
  child.kill('SIGKILL');
  const results = await Promise.all(others);
  assert.equal(new Set(results.map(({ path }) => path)).size, 1);
  assert.equal(
    results.reduce((sum, { written }) => sum + written, 0),
    1,
  );
  await assertSameModel(source.path, results[0]!.path);
});
