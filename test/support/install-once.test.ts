import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryDirectory } from '../models/support/setup.js';
import { installOnce } from './install-once.js';

const write = (text: string) => async (draft: string) => {
  await mkdir(draft);
  await writeFile(join(draft, 'file'), text);
};

test('an interrupted install leaves nothing, and the next one starts anew', async (t) => {
  const directory = await temporaryDirectory(t);
  const target = join(directory, 'sdk');
  const broken = installOnce(target, async (draft) => {
    await write('half')(draft);
    throw new Error('interrupted');
  });
  await assert.rejects(broken, /interrupted/);
  assert.deepEqual(await readdir(directory), []);
  await installOnce(target, write('whole'));
  await installOnce(target, () => assert.fail('it is there'));
  assert.equal(await readFile(join(target, 'file'), 'utf8'), 'whole');
});

test('a killed install is not taken for a whole one', async (t) => {
  const target = join(await temporaryDirectory(t), 'sdk');
  await write('half')(`${target}.left-behind`);
  await installOnce(target, write('whole'));
  assert.equal(await readFile(join(target, 'file'), 'utf8'), 'whole');
});

test('of two at once one is kept', async (t) => {
  const directory = await temporaryDirectory(t);
  const target = join(directory, 'sdk');
  await Promise.all([installOnce(target, write('whole')), installOnce(target, write('whole'))]);
  assert.deepEqual(await readdir(directory), ['sdk']);
});
