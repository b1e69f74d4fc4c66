import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Database, JournalWriter, type LedgerEntry, openDatabase } from '../../src/store/index.js';
import { journalFile, journalNumbers } from '../../src/store/journal/files.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
after(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(join(root, 'folder-'));

const entry = (id: string, fields: Partial<LedgerEntry> = {}): LedgerEntry => ({
  id,
  admittedAtMs: 1,
  keyId: 'k',
  organisation: 'o',
  team: null,
  user: null,
  model: 'm',
  inputTokens: 1,
  outputTokens: 2,
  cachedTokens: 0,
  nanodollars: 10,
  priceSource: 'local',
  latencyMs: 1,
  cacheLevel: null,
  guardResult: null,
  finishReason: 'stop',
  ...fields,
});

const idsIn = (store: Database) =>
  store
    .requests({ sinceMs: 0, untilMs: 10, maxRows: 1000 })
    .map(({ id }) => id)
    .sort();
const spentIn = (store: Database) =>
  store.totals({ dayMs: 0, weekMs: 0, monthMs: 0 }).find(({ scope }) => scope === 'key:k')?.nanodollarsOfDay;

function opened(maxFileBytes?: number) {
  const directory = newFolder();
  const store = openDatabase(directory);
  const number = store.nextJournalNumber();
  return { directory, store, number, writer: new JournalWriter(directory, number, maxFileBytes) };
}

test('what is written is in the next report of any process, once, whoever applies it', () => {
  const { directory, store: server, writer } = opened();
  const command = openDatabase(directory);
  writer.append([entry('a'), entry('b')]);
  assert.deepEqual(idsIn(command), ['a', 'b']);
  server.applyJournal();
  writer.append([entry('c')]);
  server.applyJournal();
  command.applyJournal();
  assert.deepEqual(idsIn(command), ['a', 'b', 'c']);
  assert.equal(spentIn(command), 30);
  server.close();
  command.close();
});

test('a killed process leaves whole entries and perhaps half a line; the next one goes on in a file of its own', () => {
  const { directory, store: first, number, writer: killed } = opened();
  killed.append([entry('a'), entry('naïve 🙂')]);
  first.applyJournal();
  killed.append([entry('b')]);
  appendFileSync(journalFile(directory, number), '{"id":"half');
  first.close();

  const next = openDatabase(directory);
  const writer = new JournalWriter(directory, next.nextJournalNumber());
  writer.append([entry('c')]);
  assert.deepEqual(idsIn(next), ['a', 'b', 'c', 'naïve 🙂']);
  assert.deepEqual(journalNumbers(directory), [number + 1], 'what was applied is removed');
  assert.equal(next.nextJournalNumber(), number + 2);
  next.close();
});

test('a journal without its database is kept in a new one, whoever reads it', () => {
  const directory = newFolder();
  const writer = new JournalWriter(directory, 1, 100); // a file an entry
  for (const id of ['a', 'b']) writer.append([entry(id)]);
  for (const _ of ['first', 'second']) {
    const command = openDatabase(directory, 'empty');
    assert.deepEqual(idsIn(command), ['a', 'b']);
    command.close();
  }
  assert.equal(journalNumbers(directory).length, 1);
});

test('a file that is full is followed by another, in order and without a gap', () => {
  const { directory, store, writer } = opened(1_000);
  const ids = Array.from({ length: 40 }, (_, index) => String(index));
  for (const [index, id] of ids.entries()) {
    writer.append([entry(id)]);
    if (index === 20) store.applyJournal();
  }
  assert.ok(journalNumbers(directory).length > 3);
  assert.deepEqual(idsIn(store), ids.sort());
  assert.equal(spentIn(store), 400);
  assert.equal(journalNumbers(directory).length, 1);
  store.close();
});

test('more than a batch is applied', () => {
  const { store, writer } = opened();
  writer.append(Array.from({ length: 6_000 }, (_, index) => entry(String(index))));
  store.applyJournal();
  assert.equal(spentIn(store), 60_000);
  store.close();
});

test('what is no entry is passed over and counted; all around it is kept', () => {
  const { directory, store, number, writer } = opened();
  writer.append([entry('a'), entry('half a millisecond', { latencyMs: 0.5 }), entry('b')]);
  appendFileSync(journalFile(directory, number), '\0\0\0\n');
  assert.equal(store.applyJournal(), 2);
  assert.equal(store.applyJournal(), 0);
  assert.deepEqual(idsIn(store), ['a', 'b']);
  assert.equal(spentIn(store), 20);
  store.close();
});
