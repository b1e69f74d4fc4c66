import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '../store/types.js';
import { Ledger } from './ledger.js';

const entry = (id: number) => ({ id: String(id) }) as LedgerEntry;

/** A store whose writes end when the test says so. */
class SlowStore {
  readonly batches: string[][] = [];
  #ends: { resolve: () => void; reject: (error: Error) => void }[] = [];

  appendLedger(entries: LedgerEntry[]): Promise<void> {
    this.batches.push(entries.map(({ id }) => id));
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  }

  async end(error?: Error): Promise<void> {
    const write = this.#ends.shift();
    if (error) write?.reject(error);
    else write?.resolve();
    await turns();
  }
}

/** After a write the ledger gathers for a turn of the event loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

function ledgerOf(store: SlowStore, maxPending = 100) {
  const faults: unknown[] = [];
  const ledger = new Ledger({ store, maxPending, retryMs: 1, onFault: (error) => faults.push(error) });
  return { ledger, faults };
}

test('the first entry is written at once, what gathers meanwhile is the next batch; each waits for its own', async () => {
  const store = new SlowStore();
  const { ledger } = ledgerOf(store);
  const kept: number[] = [];
  const append = (id: number) => void ledger.append(entry(id)).then(() => kept.push(id));
  append(1);
  assert.deepEqual(store.batches, [['1']]);
  append(2);
  await turns();
  append(3);
  append(4);
  await store.end();
  assert.deepEqual(kept, [1]);
  assert.deepEqual(store.batches, [['1'], ['2', '3', '4']]);
  await store.end();
  assert.deepEqual(kept, [1, 2, 3, 4]);
});

test('too much that waits is said, and nothing is dropped', async () => {
  const store = new SlowStore();
  const { ledger } = ledgerOf(store, 3);
  for (let id = 1; id <= 2; id += 1) void ledger.append(entry(id));
  assert.ok(!ledger.isFull);
  for (let id = 3; id <= 5; id += 1) void ledger.append(entry(id));
  assert.ok(ledger.isFull);
  await store.end();
  assert.ok(ledger.isFull);
  await store.end();
  assert.ok(!ledger.isFull);
  assert.deepEqual(store.batches.flat(), ['1', '2', '3', '4', '5']);
});

test('a batch that fails is written again; nobody waits for it meanwhile, and the ledger counts as full', async () => {
  const store = new SlowStore();
  const { ledger, faults } = ledgerOf(store);
  const first = ledger.append(entry(1));
  await turns();
  await store.end(new Error('disk full'));
  await first;
  await ledger.append(entry(2));
  assert.equal(faults.length, 1);
  assert.ok(ledger.isFull);
  while (ledger.isFull) await store.end();
  while (!store.batches.flat().includes('2')) await store.end();
  assert.equal(store.batches[1]![0], '1', 'written again, and in its order');
});

test('flush waits for all, or for the failure', async () => {
  const store = new SlowStore();
  const { ledger } = ledgerOf(store);
  await ledger.flush();
  void ledger.append(entry(1));
  let flushed = false;
  const flushing = ledger.flush().then(() => {
    flushed = true;
  });
  await turns();
  assert.ok(!flushed);
  await store.end();
  await flushing;
  void ledger.append(entry(2));
  const failing = ledger.flush();
  await turns();
  await store.end(new Error('gone'));
  await failing;
});
