import assert from 'node:assert/strict';
import { test } from 'node:test';
import Libsql from 'libsql';
import { writeTransaction } from './write-transaction.js';

function database() {
  const opened = new Libsql(':memory:');
  opened.exec('CREATE TABLE notes (text TEXT)');
  const count = () => (opened.prepare('SELECT count(*) AS rows FROM notes').get() as { rows: number }).rows;
  return { opened, count };
}

test('all of it stays, or nothing', () => {
  const { opened, count } = database();
  assert.equal(
    writeTransaction(opened, () => {
      opened.exec("INSERT INTO notes VALUES ('a')");
      return 7;
    }),
    7,
  );
  assert.throws(() => {
    writeTransaction(opened, () => {
      opened.exec("INSERT INTO notes VALUES ('b')");
      throw new Error('halfway');
    });
  }, /halfway/);
  assert.equal(count(), 1);
});

test('what SQLite rolled back itself fails with its own reason: no room', () => {
  const { opened, count } = database();
  opened.pragma('max_page_count = 4');
  assert.throws(
    () => writeTransaction(opened, () => opened.exec('INSERT INTO notes VALUES (zeroblob(1000000))')),
    /full/,
  );
  assert.equal(count(), 0);
  writeTransaction(opened, () => opened.exec("INSERT INTO notes VALUES ('a')"));
  assert.equal(count(), 1);
});
