import assert from 'node:assert/strict';
import type { PagePool } from '../../src/engine/pages.js';
import type { RadixCache } from '../../src/engine/radix.js';
import type { RadixNode } from '../../src/engine/radix-tree.js';
import type { Scheduler } from '../../src/engine/scheduler.js';
import type { WindowPages } from '../../src/engine/window-pages.js';

/** Counts everything again from scratch and compares it with the books. O(pages + nodes): for tests. */
export function auditScheduler(scheduler: Scheduler, columns: number, tenants: readonly string[]): void {
  scheduler.check();
  const references = new Int32Array(scheduler.pool.total);
  const slots = new Set<number>();
  for (const sequence of scheduler.running) {
    assert.ok(!slots.has(sequence.slot), 'two sequences in one slot');
    slots.add(sequence.slot);
    const row = scheduler.blockTables.subarray(
      sequence.slot * columns,
      sequence.slot * columns + sequence.pageCount,
    );
    assert.equal(new Set(row).size, row.length, 'a page twice in one block table');
    for (const [i, page] of row.entries()) {
      references[page]!++;
      if (i >= sequence.sharedPages) assert.ok(!scheduler.pool.isCached(page), 'an own page is in the cache');
    }
  }
  for (let page = 0; page < scheduler.pool.total; page++) {
    assert.equal(scheduler.pool.referencesOf(page), references[page], `references of page ${page}`);
  }
  auditCache(scheduler.cache, scheduler.pool, tenants);
  if (scheduler.placement.windows !== null)
    auditWindows(scheduler, scheduler.placement.windows, columns, tenants);
}

function auditWindows(
  scheduler: Scheduler,
  windows: WindowPages,
  columns: number,
  tenants: readonly string[],
): void {
  const { cache } = scheduler;
  const holders = new Int32Array(scheduler.pool.total);
  for (const { slot, pageCount, windowFrom, windowTo } of scheduler.running) {
    assert.ok(windowFrom <= windowTo && windowTo <= pageCount, 'a window beyond the row');
    for (const page of scheduler.blockTables.subarray(slot * columns + windowFrom, slot * columns + windowTo))
      holders[page]!++;
  }
  for (const tail of scheduler.sessions.tails()) for (const page of cache.windowOf(tail)) holders[page]!++;
  for (const node of nodesOf(cache, tenants))
    for (const page of node.pinsEnding > 0 ? cache.windowOf(node) : []) holders[page]! += node.pinsEnding;
  const used = new Set<number>();
  let held = 0;
  for (let page = 0; page < scheduler.pool.total; page++) {
    if (windows.holdersOf(page) > 0) held++;
    assert.equal(windows.holdersOf(page), holders[page], `holders of the window half of page ${page}`);
    if (!windows.has(page)) continue;
    assert.ok(scheduler.pool.referencesOf(page) > 0 || scheduler.pool.isCached(page), 'half of a free page');
    assert.ok(!used.has(windows.table[page]!), 'a window page for two pages');
    used.add(windows.table[page]!);
  }
  assert.equal(windows.held, held);
  assert.equal(windows.free, windows.total - used.size);
}

export function auditCache(cache: RadixCache, pool: PagePool, tenants: readonly string[]): void {
  const seen = new Set<number>();
  let evictable = 0;
  let pinned = 0;
  const visit = (node: RadixNode): void => {
    if (node.locks === 0) evictable += node.pages.length;
    if (node.pins > 0) pinned += node.pages.length;
    for (const page of node.pages) {
      assert.ok(!seen.has(page), 'a page twice in the tree');
      seen.add(page);
      assert.ok(pool.isCached(page), 'a page of the tree that the pool does not know as cached');
      if (node.locks === 0) assert.equal(pool.referencesOf(page), 0, 'a page in use is evictable');
    }
    const children = childrenOf(node);
    assert.ok(node.parent === null || node.pages.length > 0, 'an edge without pages');
    assert.ok(
      children.reduce((sum, child) => sum + child.locks, 0) <= node.locks,
      'more locks below than here',
    );
    const inHeap = node.parent !== null && children.length === 0 && node.locks === 0;
    assert.equal(node.heapIndex >= 0, inHeap, 'exactly the unlocked leaves can be evicted');
    for (const child of children) visit(child);
  };
  for (const tenant of tenants) {
    const root = cache.root(tenant);
    if (root !== undefined) visit(root);
  }
  let cached = 0;
  for (let page = 0; page < pool.total; page++) if (pool.isCached(page)) cached++;
  assert.equal(seen.size, cached, 'pages of the tree');
  assert.equal(cache.evictable, evictable, 'evictable pages');
  assert.equal(cache.pinnedPages, pinned, 'pinned pages');
}

function nodesOf(cache: RadixCache, tenants: readonly string[]): RadixNode[] {
  const visit = (node: RadixNode): RadixNode[] => [node, ...childrenOf(node).flatMap(visit)];
  return tenants.flatMap((tenant) => cache.root(tenant) ?? []).flatMap(visit);
}

function childrenOf(node: RadixNode): RadixNode[] {
  const children: RadixNode[] = [];
  for (let child of node.children.values()) {
    for (;;) {
      assert.equal(child.parent, node);
      children.push(child);
      if (child.nextSameHash === null) break;
      child = child.nextSameHash;
    }
  }
  return children;
}
