import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isSplit, modelFiles, wholeName } from '../../src/models/split.js';

test('any part names them all, in order', () => {
  const parts = ['a/x-00001-of-00003.gguf', 'a/x-00002-of-00003.gguf', 'a/x-00003-of-00003.gguf'];
  for (const part of parts) {
    assert.deepEqual(modelFiles(part), parts);
    assert.equal(wholeName(part), 'a/x.gguf');
  }
});

test('what is no part stays what it is', () => {
  for (const path of [
    'x.gguf',
    'x-00001-of-00001.gguf',
    'x-00000-of-00003.gguf',
    'x-00004-of-00003.gguf',
    'x-1-of-3.gguf',
    'x-00001-of-99999.gguf', // more than any model has
    'x-00001-of-00003.gguf/y',
  ]) {
    assert.equal(isSplit(path), false, path);
    assert.deepEqual(modelFiles(path), [path]);
    assert.equal(wholeName(path), path);
  }
});

test('files stay in their directory', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 2, max: 9 }),
      (stem, part, parts) => {
        const path = `${stem}-0000${part}-of-0000${parts}.gguf`;
        const directory = path.slice(0, path.lastIndexOf('/') + 1);
        for (const file of modelFiles(path)) assert.ok(file.startsWith(directory));
      },
    ),
  );
});
