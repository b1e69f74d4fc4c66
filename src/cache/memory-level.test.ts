import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryLevel } from './memory-level.js';
import type { CacheEntry } from './types.js';

function entry(key: string, more: Partial<CacheEntry> = {}): CacheEntry {
  return {
    key,
    tenant: 't',
    model: 'm',
    promptHead: 'Once upon a time',
    storedAtMs: 0,
    expiresAtMs: 1000,
    bytes: 10,
    similarity: null,
    answer: {
      events: [],
      needsVocab: false,
      facts: { promptTokens: 1, completionTokens: 1, isEstimated: false, quality: null },
    },
    ...more,
  };
}

const isIn = (level: MemoryLevel, key: string, nowMs = 0) => level.get(key, nowMs) !== null;

test('past the number of entries, those go that were not asked for longest', () => {
  const level = new MemoryLevel({ maxEntries: 2, maxBytes: 1000 });
  level.put(entry('a'));
  level.put(entry('b'));
  assert.ok(isIn(level, 'a'));
  level.put(entry('c'));
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => isIn(level, key)),
    [true, false, true],
  );
});

test('neither bound is ever exceeded, and what is larger than all is not kept', () => {
  const puts = fc.array(fc.record({ key: fc.nat(20).map(String), bytes: fc.integer({ min: 1, max: 120 }) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(puts, (all) => {
      const level = new MemoryLevel({ maxEntries: 5, maxBytes: 100 });
      for (const { key, bytes } of all) {
        level.put(entry(key, { bytes }));
        const stats = level.stats();
        assert.ok(stats.entries <= 5 && stats.bytes <= 100);
        assert.equal(isIn(level, key), bytes <= 100);
      }
    }),
  );
});

test('an entry ends at its time', () => {
  const level = new MemoryLevel({ maxEntries: 2, maxBytes: 1000 });
  level.put(entry('a', { expiresAtMs: 50 }));
  assert.ok(isIn(level, 'a', 49));
  assert.ok(!isIn(level, 'a', 50));
  assert.deepEqual(level.stats(), { entries: 0, bytes: 0 });
});

test('a purge drops what fits all that it names', () => {
  const level = () => {
    const filled = new MemoryLevel({ maxEntries: 10, maxBytes: 1000 });
    filled.put(entry('aa'));
    filled.put(entry('ab', { tenant: 'other' }));
    filled.put(entry('b', { model: 'n', promptHead: 'Never' }));
    return filled;
  };
  const left = (selector: Parameters<MemoryLevel['purge']>[0]) => {
    const filled = level();
    const dropped = filled.purge(selector);
    const keys = ['aa', 'ab', 'b'].filter((key) => isIn(filled, key));
    assert.equal(dropped + keys.length, 3);
    return keys.join();
  };
  assert.equal(left({}), '');
  assert.equal(left({ key: 'a' }), 'b');
  assert.equal(left({ tenant: 't' }), 'ab');
  assert.equal(left({ tenant: 't', model: 'm' }), 'ab,b');
  assert.equal(left({ promptPrefix: 'Once upon' }), 'b');
});
