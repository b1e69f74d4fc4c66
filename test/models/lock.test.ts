import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { FileLock } from '../../src/models/lock.js';
import { temporaryDirectory } from './support/setup.js';

const never = new AbortController().signal;

test('one holder at a time, and nothing left behind', async (t) => {
  const directory = await temporaryDirectory(t);
  let holders = 0;
  let waits = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const lock = await FileLock.acquire(join(directory, 'x'), never, () => waits++);
      holders++;
      await readdir(directory);
      assert.equal(holders, 1);
      holders--;
      await lock.release();
    }),
  );
  assert.equal(waits, 4);
  assert.deepEqual(await readdir(directory), []);
});

test('waiting can be called off', async (t) => {
  const path = join(await temporaryDirectory(t), 'x');
  const lock = await FileLock.acquire(path, never, () => {});
  const controller = new AbortController();
  await assert.rejects(
    FileLock.acquire(path, controller.signal, () => controller.abort(new Error('enough'))),
  );
  await lock.release();
});

test('a lock of a process that is gone, or of another machine that is silent, is taken over', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'x');
  const lock = await FileLock.acquire(path, never, () => {});
  const owner = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await lock.release();
  const abandoned = [
    { ...owner, start: '1' }, // the pid lives, but belongs to a later process
    { ...owner, pid: 2 ** 30 },
    { ...owner, scope: 'elsewhere' },
    'not json',
  ];
  for (const content of abandoned) {
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    await utimes(path, 0, 0);
    const taken = await FileLock.acquire(path, never, () => assert.fail('waited'));
    await taken.release();
    assert.deepEqual(await readdir(directory), []);
  }
});

test('a fresh lock of another machine is respected', async (t) => {
  const path = join(await temporaryDirectory(t), 'x');
  await writeFile(path, JSON.stringify({ token: 't', pid: 1, start: '1', scope: 'elsewhere' }));
  const controller = new AbortController();
  await assert.rejects(
    FileLock.acquire(path, controller.signal, () => controller.abort(new Error('waited'))),
  );
});

test('somebody else’s lock is not released', async (t) => {
  const path = join(await temporaryDirectory(t), 'x');
  const lock = await FileLock.acquire(path, never, () => {});
  await writeFile(path, JSON.stringify({ token: 'other', pid: 1, start: '1', scope: 'elsewhere' }));
  await lock.release();
  assert.match(await readFile(path, 'utf8'), /other/);
});
