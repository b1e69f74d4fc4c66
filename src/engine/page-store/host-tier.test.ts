import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../test/sim/random.js';
import { HostTier } from './host-tier.js';

const pageBytes = 8;

function tier(pages: number) {
  const evicted: string[] = [];
  const host = new HostTier(pages * pageBytes + 3, pageBytes, (key, bytes) => {
    assert.deepEqual(Array.from(bytes), contentOf(key), 'the bytes are still there');
    evicted.push(key);
  });
  return { host, evicted };
}

function contentOf(key: string): number[] {
  return Array.from({ length: pageBytes }, (_, i) => (Number(key) * 31 + i) & 255);
}

test('the least recently used page goes first', () => {
  const { host, evicted } = tier(3);
  for (const key of ['1', '2', '3']) host.put(key).set(contentOf(key));
  assert.ok(host.get('1') !== undefined);
  host.put('4').set(contentOf('4'));
  assert.deepEqual(evicted, ['2']);
  assert.deepEqual(host.keys(), ['3', '1', '4']);
  host.delete('3');
  host.put('5').set(contentOf('5'));
  assert.deepEqual(evicted, ['2'], 'a page that was dropped makes room');
});

test('against a plain list, with slots used over and over', () => {
  const random = new Random(5);
  const { host, evicted } = tier(6);
  let expected: string[] = [];
  for (let i = 0; i < 3_000; i++) {
    const key = String(random.int(0, 11));
    const held = expected.includes(key);
    assert.equal(host.has(key), held);
    expected = expected.filter((other) => other !== key);
    if (random.chance(0.1)) {
      host.delete(key);
    } else if (held) {
      assert.deepEqual(Array.from(host.get(key)!), contentOf(key));
      expected.push(key);
    } else {
      host.put(key).set(contentOf(key));
      if (expected.length === 6) assert.equal(evicted.at(-1), expected.shift());
      expected.push(key);
    }
    assert.deepEqual(host.keys(), expected);
    assert.equal(host.size, expected.length);
  }
});
