import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type IfMissing, openPrivateDatabase } from './private-database.js';

const home = mkdtempSync(join(tmpdir(), 'sluice-private-database-'));
after(() => rmSync(home, { recursive: true }));

/** Names and rights of all files. */
const rights = () =>
  readdirSync(home)
    .sort()
    .map((name) => [name, (statSync(join(home, name)).mode & 0o777).toString(8)]);

test('its files are their owner’s alone, in a folder that all may read, also those that were open to all', () => {
  chmodSync(home, 0o755);
  const path = join(home, 'a.db');
  const write = () => {
    const database = openPrivateDatabase(path);
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1)');
    return database;
  };
  const database = write();
  const files = ['a.db', 'a.db-shm', 'a.db-wal'];
  assert.deepEqual(
    rights(),
    files.map((name) => [name, '600']),
  );
  for (const name of files) chmodSync(join(home, name), 0o644);
  const second = write();
  assert.deepEqual(
    rights(),
    files.map((name) => [name, '600']),
  );
  assert.equal((second.prepare('SELECT count(*) AS n FROM t').get() as { n: number }).n, 2);
  second.close();
  database.close();
});

test('what is no folder is an error', () => {
  writeFileSync(join(home, 'file'), '');
  const open = (ifMissing: IfMissing) => () => openPrivateDatabase(join(home, 'file', 'a.db'), ifMissing);
  assert.throws(open('create'), { code: 'EEXIST' });
  assert.throws(open('empty'), { code: 'ENOTDIR' });
});

test('a missing file can be worked on as an empty one, of which nothing stays', () => {
  const folder = join(home, 'none');
  const database = openPrivateDatabase(join(folder, 'b.db'), 'empty');
  database.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
  database.close();
  assert.equal(existsSync(folder), false);
  openPrivateDatabase(join(folder, 'b.db')).close();
  assert.deepEqual(readdirSync(folder), ['b.db']);
  const there = openPrivateDatabase(join(folder, 'b.db'), 'empty');
  there.exec('CREATE TABLE t (x)');
  there.close();
  assert.ok(statSync(join(folder, 'b.db')).size > 0);
});
