import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DiskFolder } from './disk-folder.js';
import { fileName } from './page-file.js';

const key = (n: number) => n.toString(16).padStart(64, '0');

async function newFolder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-pages-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function open(directory: string, maxBytes = 2 ** 20) {
  const faults: string[] = [];
  const removed: string[] = [];
  const folder = new DiskFolder(directory, maxBytes, {
    onFault: (message) => faults.push(message),
    onRemoved: (gone) => removed.push(gone),
  });
  return { folder, faults, removed };
}

test('pages come back, also in the next process', async (t) => {
  const directory = await newFolder(t);
  const { folder } = open(directory);
  assert.deepEqual(await folder.open(), []);
  const bytes = randomBytes(5_000);
  await folder.write(key(1), bytes);
  assert.ok(bytes.equals((await folder.read(key(1)))!));
  const next = open(directory);
  assert.deepEqual(await next.folder.open(), [key(1)]);
  assert.ok(bytes.equals((await next.folder.read(key(1)))!));
  assert.deepEqual(next.faults, []);
});

test('a file that is cut off, changed, or another page is a page that is not there', async (t) => {
  const directory = await newFolder(t);
  const { folder, faults, removed } = open(directory);
  await folder.open();
  for (const n of [1, 2, 3, 4, 5]) await folder.write(key(n), randomBytes(1_000));
  const path = (n: number) => join(directory, fileName(key(n)));
  const file = await readFile(path(1));
  await writeFile(path(1), file.subarray(0, 700));
  file[600]! ^= 1;
  await writeFile(path(2), file);
  await rename(path(4), path(3));
  await writeFile(path(5), 'not a page');
  for (const n of [1, 2, 3, 4, 5]) assert.equal(await folder.read(key(n)), null, `page ${n}`);
  assert.equal(faults.length, 5);
  assert.deepEqual(removed.sort(), [1, 2, 3, 4, 5].map(key));
  assert.deepEqual(await readdir(directory), []);
});

test('the folder stays under its bound, least recently used first out', async (t) => {
  const directory = await newFolder(t);
  const { folder, removed } = open(directory, 5_000);
  await folder.open();
  for (const n of [1, 2, 3, 4]) await folder.write(key(n), randomBytes(1_000));
  await folder.read(key(1));
  await folder.write(key(5), randomBytes(1_000));
  assert.deepEqual(removed, [key(2)]);

  const old = new Date(Date.now() - 60_000);
  await utimes(join(directory, fileName(key(4))), old, old);
  const next = open(directory, 4_000);
  assert.equal((await next.folder.open()).includes(key(4)), false, 'a smaller bound holds from the start');
});

test('what others have left there stays, what was half written goes', async (t) => {
  const directory = await newFolder(t);
  await writeFile(join(directory, 'notes.txt'), 'mine');
  await writeFile(join(directory, '0d9f3c2e-1111-4222-8333-444455556666.draft'), 'half');
  const { folder, faults } = open(directory);
  assert.deepEqual(await folder.open(), []);
  assert.deepEqual(await readdir(directory), ['notes.txt']);
  assert.equal(faults.length, 1);
});
