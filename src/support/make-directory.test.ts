import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeDirectory } from './make-directory.js';

const home = mkdtempSync(join(tmpdir(), 'sluice-make-directory-'));
after(() => rmSync(home, { recursive: true }));

test('makes what is missing, for this user only, and leaves what there is', () => {
  const directory = join(home, 'a', 'b');
  makeDirectory(directory);
  makeDirectory(directory);
  for (const each of [directory, join(home, 'a')]) assert.equal(statSync(each).mode & 0o777, 0o700);
});

test('a file in the way is an error', () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  assert.throws(() => makeDirectory(file), { code: 'EEXIST' });
  assert.throws(() => makeDirectory(join(file, 'below')), { code: 'EEXIST' });
});

test('so is a file system that takes no folders', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makeDirectory('/proc/sluice/data'), { code: 'ENOENT' });
});
