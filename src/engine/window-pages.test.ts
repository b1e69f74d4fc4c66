import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstVisible, firstVisiblePage, windowPagesNeeded } from './attention-window.js';
import { WindowPages } from './window-pages.js';

const window = { kind: 'sliding', size: 8, pages: 3, reserved: 2 } as const;

function windowPages(reclaimed: number[] = []): WindowPages {
  return new WindowPages(window, 10, 4, (page) => reclaimed.push(page));
}

test('a sliding window ends with the token, a chunk begins at multiples of its size', () => {
  const chunked = { kind: 'chunked', size: 8 } as const;
  assert.deepEqual(
    [0, 7, 8, 20].map((position) => firstVisible(window, position)),
    [0, 0, 1, 13],
  );
  assert.deepEqual(
    [0, 7, 8, 20].map((position) => firstVisible(chunked, position)),
    [0, 0, 8, 16],
  );
});

test('who goes on behind complete pages needs those in reach of the next token', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 5].map((pages) => firstVisiblePage(window, pages, 4)),
    [0, 0, 0, 1, 3],
  );
});

test('what sequences can need grows with each of them and with the step', () => {
  assert.equal(windowPagesNeeded(window, 4, 1, 0), 5);
  assert.equal(windowPagesNeeded(window, 4, 10, 16), 10 * 4 + 8 + 1);
});

test('the longest idle one makes room, and none that is held', () => {
  const reclaimed: number[] = [];
  const windows = windowPages(reclaimed);
  for (const page of [5, 6, 7]) assert.ok(windows.add(page));
  assert.equal(windows.add(8), false);
  windows.letGo(6, true);
  windows.letGo(5, true);
  assert.deepEqual([windows.held, windows.idle, windows.free], [1, 2, 0]);
  assert.ok(windows.add(8));
  assert.deepEqual(reclaimed, [6]);
  windows.hold(5);
  assert.equal(windows.add(9), false);
  assert.equal(windows.has(5), true);
});

test('what is unlikely to be gone on from makes room before what was idle longer', () => {
  const reclaimed: number[] = [];
  const windows = windowPages(reclaimed);
  for (const page of [5, 6, 7]) windows.add(page);
  windows.letGo(5, true);
  windows.letGo(6, false);
  windows.letGo(7, false);
  for (const page of [1, 2, 3]) assert.ok(windows.add(page));
  assert.deepEqual(reclaimed, [6, 7, 5]);
});

test('a page that is free gives its half back', () => {
  const windows = windowPages();
  windows.add(5);
  assert.throws(() => windows.drop(5), /held/);
  windows.letGo(5, true);
  windows.drop(5);
  windows.drop(9); // never had one
  assert.deepEqual([windows.free, windows.has(5)], [3, false]);
});

test('the page that is kept of two alike gets holders and half of the other', () => {
  const windows = windowPages();
  windows.add(1);
  const half = windows.table[1];
  windows.exchange(1, 2);
  assert.deepEqual([windows.table[1], windows.table[2], windows.holdersOf(2)], [-1, half, 1]);
  windows.add(3);
  windows.exchange(3, 2); // has one of its own
  assert.deepEqual([windows.holdersOf(2), windows.holdersOf(3), windows.table[2]], [2, 0, half]);
  windows.drop(3);
  assert.deepEqual([windows.held, windows.free], [1, 2]);
});

test('more releases than holds are an error', () => {
  const windows = windowPages();
  assert.throws(() => windows.letGo(1, true), /Nobody/);
  assert.throws(() => windows.hold(1), /no window half/);
  windows.add(1);
  assert.throws(() => windows.add(1), /already/);
});
