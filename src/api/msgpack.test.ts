import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packMessage, unpackMessage } from './msgpack.js';

const prototypeKey = '__proto__';

test('what is packed comes back', () => {
  const values = fc
    .jsonValue({ maxDepth: 8 })
    .filter((value) => !JSON.stringify(value).includes(prototypeKey));
  fc.assert(
    fc.property(values, (value) => {
      const normal = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(JSON.stringify(unpackMessage(packMessage(normal)))), normal);
    }),
  );
});

test('a key that would set a prototype sets none', () => {
  const unpacked = unpackMessage(packMessage(JSON.parse(`{"${prototypeKey}":{"admin":true}}`))) as object;
  assert.equal(Object.getPrototypeOf(unpacked), Object.prototype);
  assert.equal((unpacked as { admin?: boolean }).admin, undefined);
});

test('random bytes are a value or invalid_request, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        unpackMessage(bytes);
      } catch (error) {
        assert.equal((error as { code: string }).code, 'invalid_request');
      }
    }),
    { numRuns: 5000 },
  );
});

const lies: [name: string, bytes: number[]][] = [
  ['an array of four billion elements', [0xdd, 0xff, 0xff, 0xff, 0xff]],
  ['a map of four billion pairs', [0xdf, 0xff, 0xff, 0xff, 0xff]],
  ['a string of four gigabytes', [0xdb, 0xff, 0xff, 0xff, 0xff]],
  ['binary of four gigabytes', [0xc6, 0xff, 0xff, 0xff, 0xff]],
  ['nested arrays, each claiming the rest', Array(60).fill([0xdc, 0x00, 0x20]).flat()],
  ['an extension', [0xd6, 0xff, 0, 0, 0, 0]],
  ['nothing', []],
  ['a cut float', [0xcb, 0, 0]],
  ['a map that is a key', [0x81, 0x80, 0]],
  ['a number that is a key', [0x81, 0, 0]],
  ['bytes after the value', [0x01, 0x02]],
];
for (const [name, bytes] of lies) {
  test(`${name} is refused`, () => {
    assert.throws(() => unpackMessage(Uint8Array.from(bytes)), { code: 'invalid_request' });
  });
}

test('nesting is bounded', () => {
  const nested = (depth: number) => Uint8Array.from([...Array(depth).fill(0x91), 0x01]);
  assert.deepEqual(JSON.stringify(unpackMessage(nested(60))), `${'['.repeat(60)}1${']'.repeat(60)}`);
  assert.throws(() => unpackMessage(nested(100)), { code: 'invalid_request' });
});
