import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PagePool } from './pages.js';

test('pages come in ascending order at first, then the one freed last comes first', () => {
  const pool = new PagePool(4);
  assert.deepEqual([pool.allocate(), pool.allocate(), pool.allocate()], [0, 1, 2]);
  pool.release(0);
  pool.release(2);
  assert.deepEqual([pool.allocate(), pool.allocate(), pool.allocate()], [2, 0, 3]);
  assert.equal(pool.free, 0);
  assert.throws(() => pool.allocate(), /No free page/);
});

test('a shared page is free only after its last holder', () => {
  const pool = new PagePool(2);
  const page = pool.allocate();
  pool.retain(page);
  assert.equal(pool.referencesOf(page), 2);
  pool.release(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [1, 1, 0]);
  pool.release(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [2, 0, 0]);
});

test('a page of the cache is live while it is used and cached otherwise', () => {
  const pool = new PagePool(2);
  const page = pool.allocate();
  pool.adopt(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [1, 1, 0]);
  pool.release(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [1, 0, 1]);
  pool.retain(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [1, 1, 0]);
  pool.disown(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [1, 1, 0]);
  pool.release(page);
  assert.deepEqual([pool.free, pool.live, pool.cached], [2, 0, 0]);
  pool.check();
});

test('wrong uses throw and change nothing', () => {
  const pool = new PagePool(2);
  const page = pool.allocate();
  pool.release(page);
  assert.throws(() => pool.release(page), /Page 0 released more often than retained/);
  assert.throws(() => pool.retain(page), /Cannot retain free page 0/);
  assert.throws(() => pool.adopt(page), /Cannot adopt free page 0/);
  assert.throws(() => pool.disown(page), /Page 0 is not in the cache/);
  assert.throws(() => pool.release(2), RangeError);
  assert.throws(() => pool.release(-1), RangeError);
  const held = pool.allocate();
  pool.adopt(held);
  assert.throws(() => pool.adopt(held), /already in the cache/);
  assert.deepEqual([pool.free, pool.live, pool.cached], [1, 1, 0]);
  assert.throws(() => new PagePool(0), RangeError);
  assert.throws(() => new PagePool(1.5), RangeError);
});
