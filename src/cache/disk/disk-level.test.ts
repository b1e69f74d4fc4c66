import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { entryOf, questionOf as question } from '../../../test/support/cache-entries.js';
import { eventually } from '../../../test/support/eventually.js';
import { selects } from '../selector.js';
import type { PurgeSelector } from '../types.js';
import { openCacheDatabase } from './database.js';
import { DiskLevel } from './disk-level.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-disk-cache-'));
after(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(join(root, 'folder-'));

async function open(
  directory: string,
  bounds = { maxEntries: 100, maxBytes: 2 ** 20 },
  nowMs = () => 0,
): Promise<DiskLevel> {
  return await DiskLevel.open({ directory, bounds, nowMs, onFault: (error) => assert.fail(String(error)) });
}

test('an entry comes back as it was, also to another process, until its time', async () => {
  const directory = newFolder();
  const level = await open(directory);
  await level.put(entryOf('a'));
  void level.put(entryOf('late')); // written when it is closed
  await level.close();
  let nowMs = 999;
  const other = await open(directory, undefined, () => nowMs);
  assert.deepEqual(await other.find(question('a')), entryOf('a'));
  assert.deepEqual(await other.find(question('late')), entryOf('late'));
  assert.equal(await other.find(question('b')), null);
  nowMs = 1000;
  assert.equal(await other.find(question('a')), null);
  await other.close();
});

test('neither bound is exceeded, whatever is put in what order; who was asked for last stays', () => {
  const bounds = { maxEntries: 4, maxBytes: 100 };
  const puts = fc.array(fc.record({ key: fc.nat(8).map(String), size: fc.integer({ min: 0, max: 120 }) }), {
    maxLength: 40,
  });
  const database = openCacheDatabase(newFolder());
  const { answer: _, similarity: __, bytes: ___, ...row } = entryOf('');
  let nowMs = 0;
  fc.assert(
    fc.property(puts, (all) => {
      database.purge({}, 0);
      assert.deepEqual(database.stats(), { entries: 0, bytes: 0 });
      for (const { key, size } of all) {
        nowMs += 1;
        const expiresAtMs = nowMs + 1000;
        database.put([{ ...row, key, storedAtMs: nowMs, expiresAtMs, body: new Uint8Array(size) }], bounds);
        const { entries, bytes } = database.stats();
        assert.ok(entries <= bounds.maxEntries && bytes <= bounds.maxBytes);
        if (size <= bounds.maxBytes) assert.equal(database.find(key, nowMs)!.body.byteLength, size);
      }
    }),
    { numRuns: 50 },
  );
  database.purge({}, 0);
  const put = (key: string, storedAtMs: number) =>
    database.put([{ ...row, key, storedAtMs, expiresAtMs: 1e9, body: new Uint8Array(30) }], bounds);
  for (const [index, key] of ['a', 'b', 'c'].entries()) put(key, index);
  assert.ok(database.find('a', 500_000));
  put('d', 500_001);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => database.find(key, 500_002) !== null),
    [true, false, true, true],
  );
  database.close();
});

test('a purge drops exactly what the same selector drops from memory', () => {
  const database = openCacheDatabase(newFolder());
  const { answer: _, similarity: __, bytes: ___, ...row } = entryOf('');
  const name = fc.constantFrom('a', 'ab', 'b', '%', 'A_');
  const fields = { tenant: name, model: name, key: name, promptHead: name };
  const stored = fc.uniqueArray(fc.record(fields), { selector: ({ key }) => key, maxLength: 5 });
  const selector: fc.Arbitrary<PurgeSelector> = fc.record(
    { tenant: name, model: name, key: name, promptPrefix: name },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(stored, selector, (entries, purged) => {
      database.purge({}, 0);
      const rows = entries.map((entry) => ({ ...row, ...entry, body: Buffer.from('x') }));
      database.put(rows, { maxEntries: 10, maxBytes: 100 });
      const doomed = entries.filter((entry) => selects(purged, entry));
      assert.equal(database.purge(purged, 0).dropped, doomed.length);
      for (const entry of entries)
        assert.equal(database.find(entry.key, 0) === null, doomed.includes(entry), entry.key);
    }),
    { numRuns: 100 },
  );
  database.close();
});

test('a purge by another process is told, once; an own one is not', async () => {
  const directory = newFolder();
  const level = await open(directory);
  const heard: PurgeSelector[] = [];
  level.onPurge((selector) => heard.push(selector));
  await level.purge({ model: 'own' });
  const command = openCacheDatabase(directory);
  command.purge({ tenant: 't' }, 0);
  command.close();
  await eventually(() => heard.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 300)); // another look
  assert.deepEqual(heard, [{ tenant: 't' }]);
  await level.close();
});

test('expired entries are removed in batches', () => {
  const database = openCacheDatabase(newFolder());
  const { answer: _, similarity: __, bytes: ___, ...row } = entryOf('');
  const rows = Array.from({ length: 600 }, (_, index) => {
    return { ...row, key: `k${index}`, expiresAtMs: index < 510 ? 10 : 20, body: Buffer.from('x') };
  });
  database.put(rows, { maxEntries: 1000, maxBytes: 1e6 });
  assert.deepEqual(
    [database.removeExpired(10), database.removeExpired(10), database.removeExpired(10)],
    [500, 10, 0],
  );
  assert.equal(database.stats().entries, 90);
  database.close();
});

test('what is purged before it was written is not written', async () => {
  const level = await open(newFolder());
  void level.put(entryOf('a'));
  const other = level.put(entryOf('b', { tenant: 'other' }));
  await level.purge({ tenant: 't' });
  await other;
  await eventually(async () => (await level.stats()).entries === 1);
  assert.equal(await level.find(question('a')), null);
  await level.close();
});

test('a file that is no cache is begun anew', async () => {
  const directory = newFolder();
  writeFileSync(join(directory, 'cache.db'), 'x'.repeat(10_000));
  const level = await open(directory);
  await level.put(entryOf('a'));
  assert.deepEqual(await level.find(question('a')), entryOf('a'));
  await level.close();
});
