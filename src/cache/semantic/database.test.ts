import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSemanticDatabase, openSemanticEntries } from './database.js';

const bounds = { maxEntries: 100, maxBytes: 1e6 };
const body = Uint8Array.of(1, 2, 3);

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-semantic-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

function open(t: TestContext, directory: string) {
  const database = openSemanticDatabase(directory);
  t.after(() => database.close());
  return database;
}

/** A vector at an angle, in degrees, from the first axis. */
function at(degrees: number): Float32Array {
  const angle = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
}

const asked = (text: string, degrees: number, scope = 's') => ({ scope, text, vector: at(degrees) });

const entry = (key: string, tenant = 't', expiresAtMs = 1000, storedAtMs = 0) => ({
  key,
  tenant,
  model: 'm',
  promptHead: key,
  storedAtMs,
  expiresAtMs,
  body,
});

test('the nearest question whose words agree answers, if it is near enough', (t) => {
  const database = open(t, folder(t));
  database.put(entry('far'), asked('Who wrote Dracula?', 20), bounds);
  database.put(entry('near'), asked('Who wrote Frankenstein?', 5), bounds);
  const found = database.find(asked('Who is the author of Dracula?', 0), 0.9, 0);
  assert.equal(found!.entry.key, 'far'); // the nearer one asks for another book
  assert.deepEqual(Buffer.from(found!.entry.body), Buffer.from(body));
  assert.ok(Math.abs(found!.similarity - Math.cos(Math.PI / 9)) < 1e-6);
  assert.equal(database.find(asked('Who is the author of Dracula?', 0), 0.95, 0), null);
  assert.equal(database.find(asked('Who is the author of Dracula?', 0, 'other'), 0.9, 0), null);
});

test('an answer that has expired is not given, and goes with its question', (t) => {
  const database = open(t, folder(t));
  database.put(entry('a', 't', 1000), asked('why', 0), bounds);
  assert.ok(database.find(asked('why', 0), 0.9, 999));
  assert.equal(database.find(asked('why', 0), 0.9, 1000), null);
  assert.equal(database.removeExpired(1000), 1);
  assert.equal(database.stats().entries, 0);
});

test('beyond the bound the least used go, with their questions', (t) => {
  const database = open(t, folder(t));
  for (let i = 0; i < 5; i++)
    database.put(entry(`k${i}`, 't', 1e9, i), asked(`question${i}`, i), { ...bounds, maxEntries: 3 });
  assert.equal(database.stats().entries, 3);
  assert.equal(database.find(asked('question0', 0), 0.9, 10), null);
  assert.equal(database.find(asked('question4', 4), 0.9, 10)!.entry.key, 'k4');
});

test('another answer to the same question takes the place of the first', (t) => {
  const database = open(t, folder(t));
  for (const expires of [100, 200]) database.put(entry('a', 't', expires), asked('why', 0), bounds);
  assert.equal(database.stats().entries, 1);
  assert.equal(database.find(asked('why', 0), 0.9, 150)!.entry.expiresAtMs, 200);
});

test('an answer that is too large is not kept, nor its question', (t) => {
  const database = open(t, folder(t));
  database.put(entry('a'), asked('why', 0), { ...bounds, maxBytes: 2 });
  assert.equal(database.stats().entries, 0);
  assert.equal(database.find(asked('why', 0), 0.9, 0), null);
});

test('a purge takes answers and questions, whichever process does it', (t) => {
  const directory = folder(t);
  const server = open(t, directory);
  const put = (key: string, tenant: string) => server.put(entry(key, tenant), asked(`${key} why`, 0), bounds);
  put('a', 't1');
  put('b', 't2');
  assert.equal(server.purge({ tenant: 't1' }, 0), 1);
  assert.equal(server.find(asked('a why', 0), 0.9, 0), null);
  assert.equal(server.find(asked('b why', 0), 0.9, 0)!.entry.key, 'b');
  const command = openSemanticEntries(directory);
  assert.equal(command.purge({ key: 'b' }, 0).dropped, 1);
  command.close();
  assert.equal(server.find(asked('b why', 0), 0.9, 0), null);
  put('b', 't2'); // can be kept anew
  assert.ok(server.find(asked('b why', 0), 0.9, 0));
});

test('questions outlive the process, and are seen by others that share the folder', (t) => {
  const directory = folder(t);
  const first = openSemanticDatabase(directory);
  first.put(entry('a'), asked('why', 0), bounds);
  first.close();
  const second = open(t, directory);
  assert.equal(second.find(asked('why', 3), 0.9, 0)!.entry.key, 'a');
  const third = open(t, directory);
  third.put(entry('b'), asked('how', 90), bounds);
  assert.equal(second.find(asked('how', 90), 0.9, 0)!.entry.key, 'b');
});
