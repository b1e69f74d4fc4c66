import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Levels } from './levels.js';
import { MemoryLevel } from './memory-level.js';
import type { LowerLevel } from './types.js';

test('a purge goes from the lowest level up, so that nothing comes up behind it', async () => {
  const purged: string[] = [];
  const levelOf = (level: LowerLevel['level']): LowerLevel => ({
    level,
    find: () => Promise.resolve(null),
    put: () => Promise.resolve(),
    purge: async () => purged.push(level),
    stats: () => Promise.resolve({ entries: 0, bytes: 0 }),
    onPurge: () => undefined,
    close: () => Promise.resolve(),
  });
  const levels = new Levels({
    memory: new MemoryLevel({ maxEntries: 1, maxBytes: 1 }),
    lower: [levelOf('l2'), levelOf('l3')],
    timeoutMs: 1,
    nowMs: () => 0,
    onFault: assert.fail,
    onPurge: () => undefined,
  });
  assert.deepEqual(await levels.purge({}), { l1: 0, l2: 2, l3: 1 });
  assert.deepEqual(purged, ['l3', 'l2']);
});
