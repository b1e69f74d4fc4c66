import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '../../store/types.js';
import { Settlements } from './settlements.js';

const LATER_MS = 20_000;

function setUp(unsettled: LedgerEntry[] = []) {
  const sent: string[] = [];
  const forgotten: string[] = [];
  const redis = { isUp: true };
  const settlements = new Settlements({
    outbox: {
      keepUnsettled: async () => undefined,
      dropUnsettled: async () => undefined,
      unsettled: async () => unsettled,
    },
    send: async ({ id }) => {
      if (!redis.isUp) throw new Error('away');
      sent.push(id);
      return [];
    },
    forget: async (entries) => {
      if (!redis.isUp) throw new Error('away');
      forgotten.push(...entries.map(({ id }) => id));
    },
    forgetAllBut: async (ids) => void forgotten.push(`all but ${[...ids]}`),
    maxPending: 10,
    retryMs: 1_000_000,
    onFault: () => undefined,
  });
  return { settlements, sent, forgotten, redis };
}

const entryNamed = (id: string) => ({ id }) as LedgerEntry;

test('what may be lost is sent again after each time that Redis was away, and stays known there', async (t) => {
  const { settlements, sent, forgotten } = setUp();
  t.after(() => settlements.close());
  await settlements.post(entryNamed('a'));
  settlements.seen('a');
  for (let time = 1; time <= 3; time += 1) {
    await settlements.ledgerRead(performance.now() + 1, true);
    assert.deepEqual(sent, Array(1 + time).fill('a'));
    settlements.seen('a');
    await settlements.ledgerRead(performance.now(), false);
  }
  assert.deepEqual(forgotten, []);
});

test('it is forgotten once it has come back and Redis has stayed up for long', async (t) => {
  const { settlements, sent, forgotten, redis } = setUp();
  t.after(() => settlements.close());
  await settlements.post(entryNamed('a'));
  settlements.seen('a');
  redis.isUp = false;
  await settlements.ledgerRead(performance.now() + LATER_MS, false);
  redis.isUp = true;
  assert.deepEqual(forgotten, []);
  await settlements.ledgerRead(performance.now() + LATER_MS, false);
  assert.deepEqual(forgotten, ['a'], 'what could not be said is said the next time');
  await settlements.ledgerRead(performance.now() + LATER_MS, true);
  assert.deepEqual(sent, ['a'], 'and it is not sent any more');
  await settlements.ledgerRead(performance.now() + LATER_MS, false);
  assert.deepEqual(forgotten, ['a']);
});

test('what does not come back is sent again, and not forgotten', async (t) => {
  const { settlements, sent, forgotten } = setUp();
  t.after(() => settlements.close());
  await settlements.post(entryNamed('a'));
  await settlements.ledgerRead(performance.now() + LATER_MS, false);
  assert.deepEqual([sent, forgotten], [['a', 'a'], []]);
});

test('an earlier process is remembered for what it could not send, and for nothing else', async (t) => {
  const { settlements, sent, forgotten } = setUp([entryNamed('a')]);
  await settlements.open();
  assert.deepEqual(forgotten, ['all but a']);
  await settlements.close();
  assert.deepEqual(sent, ['a']);
  t.after(() => settlements.close());
});
