import assert from 'node:assert/strict';
import test from 'node:test';
import { compare } from './books.js';
import { type Row, tableOf, withRows } from './table.js';
import { noTally } from './tally.js';

const row = (name: string, lost: number): Row => ({ ...noTally, name, times: 3, requests: 24, lost });

test('rows replace those of the same fault, and others stay, in order', () => {
  const empty = 'a\n<!-- fault matrix --><!-- end of fault matrix -->\nb';
  const order = ['x', 'y', 'z'];
  const first = withRows(empty, [row('z', 1), row('x', 2)], order);
  assert.ok(first.startsWith('a\n') && first.endsWith('\nb'));
  const second = withRows(first, [row('y', 0), row('z', 0)], order);
  assert.ok(second.includes(tableOf([row('x', 2), row('y', 0), row('z', 0)])));
});

test('budgets are off by what is charged beside what clients saw, and by what they and the ledger disagree about', () => {
  const before = { answers: 0, tokens: 0, cost: 0, spent: 0, reserved: 0 };
  const charged = (tokens: number) => ({ answers: 2, tokens, cost: tokens, spent: tokens, reserved: 0 });
  const due = { answers: 2, tokens: 100, unseenAnswers: 0, unseenTokens: 0 };
  const clean = { budgetError: 0, answeredTwice: 0 };
  assert.deepEqual(compare(before, charged(100), due), clean);
  assert.deepEqual(compare(before, charged(90), due), { ...clean, budgetError: 10 });
  assert.deepEqual(compare(before, charged(130), { ...due, unseenTokens: 20 }), {
    ...clean,
    budgetError: 10,
  });
  assert.deepEqual(compare(before, { ...charged(100), spent: 99, reserved: 2 }, due), {
    ...clean,
    budgetError: 3,
  });
  assert.deepEqual(compare(before, charged(100), { ...due, answers: 1 }), { ...clean, answeredTwice: 1 });
});
