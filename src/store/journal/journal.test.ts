import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.js';
import type { LedgerEntry } from '../types.js';
import { Journal } from './journal.js';
import type { JournalWriter } from './writer.js';

const entry = (id: string) => ({ id }) as LedgerEntry;

/** A journal whose file is a list, and whose store fails as often as it is told. */
function journalOf(maxUnapplied = 100) {
  const written: string[] = [];
  const world = { written, applied: 0, opened: 0, closed: 0, failures: 0, faults: [] as unknown[] };
  const writer = {
    append: (entries: readonly LedgerEntry[]) => written.push(...entries.map(({ id }) => id)),
    close: () => {
      world.closed += 1;
    },
  };
  const journal = new Journal({
    open: async () => {
      world.opened += 1;
      return writer as unknown as JournalWriter;
    },
    apply: async () => {
      if (world.failures-- > 0) throw new Error('disk full');
      world.applied = written.length;
      return 0;
    },
    maxUnapplied,
    retryMs: 1,
    onFault: (error) => world.faults.push(error),
  });
  return { journal, world };
}

test('entries are written when their call resolves, and applied soon after', async () => {
  const { journal, world } = journalOf();
  await journal.appendLedger([entry('a'), entry('b')]);
  assert.deepEqual(world.written, ['a', 'b']);
  assert.equal(world.applied, 0);
  await journal.appendLedger([entry('c')]);
  await eventually(() => world.applied === 3);
  assert.equal(world.opened, 1);
  await journal.close();
});

test('closing applies what is left; without entries no file is opened', async () => {
  const { journal, world } = journalOf();
  await journal.appendLedger([entry('a')]);
  await journal.close();
  assert.deepEqual([world.applied, world.closed], [1, 1]);
  const idle = journalOf();
  await idle.journal.close();
  assert.equal(idle.world.opened, 0);
});

test('a store that fails is told and tried again; past the bound nothing more is written', async () => {
  const { journal, world } = journalOf(2);
  world.failures = 3;
  await journal.appendLedger([entry('a'), entry('b')]);
  await assert.rejects(journal.appendLedger([entry('c')]), { code: 'store_unavailable' });
  await eventually(() => world.applied === 2);
  assert.equal(world.faults.length, 3);
  await journal.appendLedger([entry('c')]);
  assert.deepEqual(world.written, ['a', 'b', 'c']);
  await journal.close();
  assert.equal(world.applied, 3);
});
