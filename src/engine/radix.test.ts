import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCache } from '../../test/sim/audit.js';
import { NaiveCache } from '../../test/sim/naive-cache.js';
import { Random } from '../../test/sim/random.js';
import { PagePool } from './pages.js';
import { RadixCache } from './radix.js';
import type { RadixNode } from './radix-tree.js';

const pageSize = 4;

function tokens(...values: number[]): Int32Array {
  return Int32Array.from(values.flatMap((value) => [value, value, value, value]));
}

/** Puts a whole prompt of full pages into the cache, as a sequence would that starts and ends. */
function insert(cache: RadixCache, pool: PagePool, tenant: string, prompt: Int32Array): number[] {
  const count = prompt.length / pageSize;
  let tail = cache.lock(tenant, prompt, prompt.length);
  const row = new Int32Array(count);
  const shared = cache.copyPages(tail, row);
  for (let i = 0; i < shared; i++) pool.retain(row[i]!);
  for (let i = shared; i < count; i++) row[i] = pool.allocate();
  tail = cache.extend(tail, prompt, shared, count, row);
  for (const page of row) pool.release(page);
  cache.unlock(tail);
  return Array.from(row);
}

test('a match ends at a page border and never crosses tenants', () => {
  const pool = new PagePool(16);
  const cache = new RadixCache(pool, pageSize);
  insert(cache, pool, 'a', tokens(1, 2, 3));
  assert.equal(cache.match('a', tokens(1, 2, 3), 12), 3);
  assert.equal(cache.match('a', tokens(1, 2, 3), 11), 2);
  assert.equal(cache.match('a', Int32Array.of(1, 1, 1, 1, 2, 2, 2, 9), 8), 1);
  assert.equal(cache.match('a', tokens(2, 3), 8), 0);
  assert.equal(cache.match('b', tokens(1, 2, 3), 12), 0);
  assert.equal(cache.match('', tokens(1, 2, 3), 12), 0);
});

test('eviction takes pages from the tail of the path used longest ago', () => {
  const pool = new PagePool(8);
  const cache = new RadixCache(pool, pageSize);
  const first = insert(cache, pool, 'a', tokens(1, 2, 3));
  const second = insert(cache, pool, 'a', tokens(1, 5, 6));
  assert.deepEqual(first, [0, 1, 2]);
  assert.deepEqual(second, [0, 3, 4], 'the common page is shared');
  assert.equal(cache.evictable, 5);
  assert.equal(cache.evict(1), 1);
  assert.equal(pool.allocate(), 2, 'the tail of the older path');
  assert.equal(cache.match('a', tokens(1, 2, 3), 12), 2);
  assert.equal(cache.evict(2), 2);
  assert.deepEqual(
    [pool.allocate(), pool.allocate()],
    [4, 1],
    'the rest of the older path, then the newer tail',
  );
  assert.equal(cache.match('a', tokens(1, 5, 6), 12), 2);
  assert.equal(cache.evict(10), 2);
  assert.equal(cache.tenants, 0);
});

test('a locked path stays, and pages behind it go', () => {
  const pool = new PagePool(8);
  const cache = new RadixCache(pool, pageSize);
  insert(cache, pool, 'a', tokens(1, 2, 3, 4));
  const tail = cache.lock('a', tokens(1, 2), 8);
  assert.equal(cache.evictable, 2);
  assert.equal(cache.evict(8), 2);
  assert.equal(cache.match('a', tokens(1, 2, 3, 4), 16), 2);
  cache.unlock(tail);
  assert.equal(cache.evict(8), 2);
  assert.equal(pool.free, 8);
});

test('pages that were computed twice are held once', () => {
  const pool = new PagePool(8);
  const cache = new RadixCache(pool, pageSize);
  const prompt = tokens(1, 2);
  const tailA = cache.lock('a', prompt, 7);
  const tailB = cache.lock('a', prompt, 7);
  const rowA = Int32Array.of(pool.allocate(), pool.allocate());
  const rowB = Int32Array.of(pool.allocate(), pool.allocate());
  const endA = cache.extend(tailA, prompt, 0, 2, rowA);
  const endB = cache.extend(tailB, prompt, 0, 2, rowB);
  assert.deepEqual(rowB, rowA);
  assert.equal(endA, endB);
  assert.deepEqual([pool.free, pool.live], [6, 2]);
});

test('tokens decide, not hashes: with one hash for everything the tree is the same', () => {
  compareWithNaive(3, 20_000, () => 0);
});

test('agrees with a naive cache over random operations', () => {
  compareWithNaive(1, process.env.SLUICE_LONG === '1' ? 10_000_000 : 100_000);
});

interface Holder {
  tenant: string;
  prompt: Int32Array;
  tail: RadixNode;
  row: Int32Array;
  count: number; // pages of its path
}

/** The same random operations on both; every result and the ids of all pages must be the same. */
function compareWithNaive(seed: number, operations: number, hash?: () => number): void {
  const random = new Random(seed);
  const pool = new PagePool(48);
  const cache =
    hash === undefined ? new RadixCache(pool, pageSize) : new RadixCache(pool, pageSize, { hashPage: hash });
  const naive = new NaiveCache(pageSize);
  const holders: Holder[] = [];
  const randomPrompt = () => tokens(...Array.from({ length: random.int(1, 8) }, () => random.int(1, 3)));

  const start = () => {
    const tenant = random.pick(['a', 'b']);
    const prompt = randomPrompt();
    const limit = random.int(0, prompt.length);
    const count = cache.match(tenant, prompt, limit);
    assert.equal(count, naive.match(tenant, prompt, limit));
    const tail = cache.lock(tenant, prompt, limit);
    naive.lock(tenant, prompt, 0, count);
    const row = new Int32Array(prompt.length / pageSize).fill(-1);
    assert.equal(cache.copyPages(tail, row), count);
    assert.deepEqual(Array.from(row.subarray(0, count)), naive.pageIds(tenant, prompt, count));
    for (let i = 0; i < count; i++) pool.retain(row[i]!);
    holders.push({ tenant, prompt, tail, row, count });
  };
  const grow = (holder: Holder) => {
    const to = random.int(holder.count, holder.row.length);
    if (to - holder.count > pool.free) return;
    for (let i = holder.count; i < to; i++) holder.row[i] = pool.allocate();
    naive.extend(holder.tenant, holder.prompt, holder.count, to, holder.row);
    holder.tail = cache.extend(holder.tail, holder.prompt, holder.count, to, holder.row);
    holder.count = to;
    const ids = naive.pageIds(holder.tenant, holder.prompt, to);
    assert.deepEqual(Array.from(holder.row.subarray(0, to)), ids);
  };
  const end = (holder: Holder) => {
    holders.splice(holders.indexOf(holder), 1);
    for (const page of holder.row.subarray(0, holder.count)) pool.release(page);
    cache.unlock(holder.tail);
    naive.unlock(holder.tenant, holder.prompt, holder.count);
  };
  const evict = () => {
    const wanted = random.int(1, 6);
    const freed = [];
    for (let page = naive.evictOne(); page !== null; page = freed.length < wanted ? naive.evictOne() : null)
      freed.push(page);
    assert.equal(cache.evict(wanted), freed.length);
    const taken = freed.map(() => pool.allocate());
    assert.deepEqual(taken.reverse(), freed, 'the same pages in the same order');
    for (const page of taken.reverse()) pool.release(page);
  };

  for (let i = 0; i < operations; i++) {
    const action = random.int(0, 9);
    if (action < 3 && holders.length < 8) start();
    else if (action < 6 && holders.length > 0) grow(random.pick(holders));
    else if (action < 9 && holders.length > 0) end(random.pick(holders));
    else evict();
    pool.check();
    assert.equal(cache.evictable, naive.evictable);
    if (i % 64 === 0) auditCache(cache, pool, ['a', 'b']);
  }
}
