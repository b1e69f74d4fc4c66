import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../src/support/root.js';

interface BuildScript {
  weakenRequirement(file: Uint8Array, version: string): Buffer;
}

const script = pathToFileURL(path.join(projectRoot(), 'scripts/build-uws.mjs')).href;
const { weakenRequirement } = (await import(script)) as BuildScript;

const directory = path.dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));
const binary = (arch: string) => readFileSync(path.join(directory, `uws_linux_${arch}_115.node`));

for (const arch of ['x64', 'arm64']) {
  test(`${arch}: exactly one flag of the binary changes, and only once`, () => {
    const before = binary(arch);
    const after = weakenRequirement(before, 'GLIBC_2.38');
    const changed: number[] = [];
    for (const [index, byte] of before.entries()) if (byte !== after[index]) changed.push(index);
    assert.equal(changed.length, 1);
    assert.equal(after[changed[0]!], before[changed[0]!]! | 2);
    assert.deepEqual(weakenRequirement(after, 'GLIBC_2.38'), after);
  });
}

test('a version that the binary does not ask for, and a file that is no ELF, are refused', () => {
  assert.throws(() => weakenRequirement(binary('x64'), 'GLIBC_9.99'), /doesn't ask for GLIBC_9\.99/);
  assert.throws(() => weakenRequirement(Buffer.alloc(100), 'GLIBC_2.38'), /ELF/);
});
