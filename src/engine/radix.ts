import { IndexedHeap } from '../support/indexed-heap.js';
import type { PagePool } from './pages.js';
import { type PageHash, pathPages, RadixNode, RadixTree } from './radix-tree.js';
import type { WindowPages } from './window-pages.js';

/**
 * The prefix cache: per tenant a radix tree whose edges hold runs of whole pages. A path from the root spells a
 * prompt's tokens; its pages hold their KV. Pages in the tree are complete and never written again.
 *
 * A running sequence locks the path that it uses: every node from the tail to the root counts it. A node with no
 * lock has no locked descendant, so all pages of unlocked nodes can be reclaimed; `evictable` counts them.
 *
 * Complexity: match and extend O(tokens compared), lock and unlock O(nodes on the path), plus O(log leaves) when a
 * leaf enters or leaves the eviction heap. Nothing scans the tree.
 */

export interface RadixOptions {
  hashPage?: PageHash;
  /** The pages' halves in layers with an attention window; null where pages are whole. */
  windows: WindowPages | null;
  /** Told of a page before it is evicted: the node's page of this index. */
  onEvict(node: RadixNode, index: number, page: number): void;
}

const defaults: RadixOptions = { windows: null, onEvict: () => {} };

export class RadixCache {
  private readonly tree: RadixTree;
  /** Leaves without locks, least recently used first. Two leaves never share a `lastUse`: one use is one path. */
  private readonly leaves = new IndexedHeap<RadixNode>((a, b) => a.lastUse < b.lastUse);
  private clock = 0;
  private evictablePages = 0;
  private pinnedPageCount = 0;
  private changes = 0;
  private readonly options: RadixOptions;
  private readonly owners: (RadixNode | undefined)[] = []; // by page

  constructor(
    private readonly pool: PagePool,
    private readonly pageSize: number,
    options: Partial<RadixOptions> = {},
  ) {
    this.options = { ...defaults, ...options };
    this.tree = new RadixTree(pageSize, options.hashPage);
  }

  /** Pages that `evict` could free now. */
  get evictable(): number {
    return this.evictablePages;
  }

  get pinnedPages(): number {
    return this.pinnedPageCount;
  }

  /** Grows whenever a match may have another result than before. */
  get version(): number {
    return this.changes + (this.options.windows?.version ?? 0);
  }

  get tenants(): number {
    return this.tree.tenants;
  }

  root(tenant: string): RadixNode | undefined {
    return this.tree.root(tenant);
  }

  /** Pages of the longest cached prefix of tokens[0, limit). Changes nothing. */
  match(tenant: string, tokens: Int32Array, limit: number): number {
    return this.tree.walk(tenant, tokens, limit, () => true);
  }

  /** As match, and how many of these pages can be gone on from: window halves may be gone. */
  lookUp(tenant: string, tokens: Int32Array, limit: number): { known: number; usable: number } {
    const { windows } = this.options;
    if (windows === null) {
      const known = this.match(tenant, tokens, limit);
      return { known, usable: known };
    }
    let usable = 0;
    let count = 0;
    let gap = -1; // the last page without a window half
    const known = this.tree.walk(tenant, tokens, limit, (node, common) => {
      for (let i = 0; i < common; i++) {
        if (!windows.has(node.pages[i]!)) gap = count;
        count++;
        if (gap < windows.firstNeeded(count)) usable = count;
      }
      return true;
    });
    return { known, usable };
  }

  /** As match, but only what pinned prefixes hold for good: with window halves, those that are matched to their end. */
  matchPinned(tenant: string, tokens: Int32Array, limit: number): number {
    let whole = 0;
    let count = 0;
    const partly = this.tree.walk(tenant, tokens, limit, (node, common) => {
      count += common;
      if (node.pinsEnding > 0 && common === node.pages.length) whole = count;
      return node.pins > 0;
    });
    return this.options.windows === null ? partly : whole;
  }

  /** Where the tree has a page. */
  find(page: number): { node: RadixNode; index: number } | null {
    const node = this.owners[page];
    return node === undefined ? null : { node, index: node.pages.indexOf(page) };
  }

  /**
   * Locks the longest cached prefix of tokens[0, limit) and returns its tail (the tenant's root where nothing
   * matches); `limit` ends what `lookUp` has found to be usable. The caller gives it back with `unlock`, or moves it on with `extend`.
   */
  lock(tenant: string, tokens: Int32Array, limit: number): RadixNode {
    let at = this.tree.rootFor(tenant);
    this.lockNode(at);
    const end = Math.floor(limit / this.pageSize);
    for (let page = 0; page < end; ) {
      const child = this.tree.childOf(at, tokens, page);
      if (child === undefined) break;
      at = this.headOf(child, this.tree.commonPages(child, tokens, page, end));
      this.lockNode(at);
      page += at.pages.length;
    }
    return at;
  }

  /** One more holder of a path that is already locked, who lets nobody take from it what it takes to go on from its end. */
  keep(tail: RadixNode): void {
    for (let node: RadixNode | null = tail; node !== null; node = node.parent) this.lockNode(node);
    for (const page of this.windowOf(tail)) this.options.windows!.hold(page);
  }

  letGo(tail: RadixNode): void {
    for (const page of this.windowOf(tail)) this.options.windows!.letGo(page, true);
    this.unlock(tail);
  }

  /** Pages whose window halves it takes to go on from the end of the path. None where pages are whole. */
  windowOf(tail: RadixNode): number[] {
    const { windows } = this.options;
    if (windows === null) return [];
    const row = pathPages(tail);
    return row.slice(windows.firstNeeded(row.length));
  }

  /** A holder lets go; the path becomes the most recently used one. */
  unlock(tail: RadixNode): void {
    this.clock++;
    for (let node: RadixNode | null = tail; node !== null; ) {
      const parent: RadixNode | null = node.parent;
      node.lastUse = this.clock;
      if (--node.locks === 0) this.becomeUnlocked(node);
      node = parent;
    }
  }

  pin(tail: RadixNode): void {
    this.keep(tail);
    tail.pinsEnding++;
    if (this.options.windows !== null) this.options.windows.pinned += this.windowOf(tail).length;
    for (let node: RadixNode | null = tail; node !== null; node = node.parent) {
      if (node.pins++ === 0) this.pinnedPageCount += node.pages.length;
    }
  }

  unpin(tail: RadixNode): void {
    tail.pinsEnding--;
    if (this.options.windows !== null) this.options.windows.pinned -= this.windowOf(tail).length;
    for (let node: RadixNode | null = tail; node !== null; node = node.parent) {
      if (--node.pins === 0) this.pinnedPageCount -= node.pages.length;
    }
    this.letGo(tail);
  }

  /** Writes the pages of the path to `tail` into row[0…] and returns how many there are. */
  copyPages(tail: RadixNode, row: Int32Array): number {
    let count = 0;
    for (let node: RadixNode | null = tail; node !== null; node = node.parent) count += node.pages.length;
    let end = count;
    for (let node: RadixNode | null = tail; node !== null; node = node.parent) {
      end -= node.pages.length;
      row.set(node.pages, end);
    }
    return count;
  }

  /**
   * Adds pages [from, to) of a sequence below the path that it has locked, and moves its lock to the new tail.
   * `tail` must spell tokens[0, from × pageSize). Pages of row[from, to) that the tree already has are exchanged:
   * the row then names the tree's page, and the sequence's own copy is released.
   */
  extend(tail: RadixNode, tokens: Int32Array, from: number, to: number, row: Int32Array): RadixNode {
    let at = tail;
    for (let page = from; page < to; ) {
      const child = this.tree.childOf(at, tokens, page);
      if (child === undefined) return this.append(at, tokens, page, to, row);
      at = this.headOf(child, this.tree.commonPages(child, tokens, page, to));
      this.lockNode(at);
      this.exchange(at, row, page);
      page += at.pages.length;
    }
    return at;
  }

  /** Frees up to `count` pages, page by page from the tail of the least recently used leaf. Returns how many. */
  evict(count: number): number {
    let freed = 0;
    while (freed < count) {
      const leaf = this.leaves.peek();
      if (leaf === undefined) break;
      freed += this.trim(leaf, count - freed);
    }
    if (freed > 0) this.changes++;
    return freed;
  }

  /** Every page, most recently used first, and a page before those that follow it. For the end of a process. */
  *pages(): Generator<{ node: RadixNode; index: number; page: number }, void, void> {
    const nodes = this.tree.nodes();
    nodes.sort((a, b) => b.lastUse - a.lastUse);
    for (const node of nodes) for (const [index, page] of node.pages.entries()) yield { node, index, page };
  }

  private trim(leaf: RadixNode, count: number): number {
    const trimmed = Math.min(count, leaf.pages.length);
    for (let i = 0; i < trimmed; i++) {
      const last = leaf.pages.length - 1;
      const page = leaf.pages[last]!;
      this.options.onEvict(leaf, last, page);
      leaf.pages.pop();
      this.owners[page] = undefined;
      this.pool.disown(page);
    }
    leaf.keys.length = Math.min(leaf.keys.length, leaf.pages.length);
    this.evictablePages -= trimmed;
    if (leaf.pages.length === 0) this.removeLeaf(leaf);
    return trimmed;
  }

  private removeLeaf(leaf: RadixNode): void {
    const parent = leaf.parent!;
    this.leaves.remove(leaf);
    this.tree.detach(parent, leaf);
    if (parent.locks === 0) this.becomeUnlockedLeaf(parent);
  }

  private becomeUnlocked(node: RadixNode): void {
    this.evictablePages += node.pages.length;
    this.becomeUnlockedLeaf(node);
  }

  private becomeUnlockedLeaf(node: RadixNode): void {
    if (node.children.size > 0) return;
    if (node.parent === null) this.tree.removeRoot(node.tenant);
    else this.leaves.push(node);
  }

  private lockNode(node: RadixNode): void {
    if (node.locks++ > 0) return;
    this.evictablePages -= node.pages.length;
    this.leaves.remove(node);
  }

  private append(at: RadixNode, tokens: Int32Array, from: number, to: number, row: Int32Array): RadixNode {
    this.changes++;
    const pages = Array.from(row.subarray(from, to));
    for (const page of pages) this.pool.adopt(page);
    const run = tokens.slice(from * this.pageSize, to * this.pageSize);
    // A leaf that only this sequence holds grows in place: a prompt read in ten chunks makes one node, not ten.
    if (at.parent !== null && at.children.size === 0 && at.locks === 1) {
      at.tokens = concat(at.tokens.subarray(0, at.pages.length * this.pageSize), run);
      at.pages.push(...pages);
      this.own(at, pages);
      return at;
    }
    const child = new RadixNode(at, at.tenant, run, pages);
    child.locks = 1;
    this.own(child, pages);
    this.tree.attach(at, child);
    return child;
  }

  /** The sequence names the tree's pages instead of its own copies of the same tokens. */
  private exchange(node: RadixNode, row: Int32Array, at: number): void {
    for (const [i, page] of node.pages.entries()) {
      const own = row[at + i]!;
      this.options.windows?.exchange(own, page);
      this.pool.retain(page);
      this.pool.release(own);
      row[at + i] = page;
    }
  }

  /** The node that holds exactly the first `count` pages of the edge: the node itself, or a new one split off. */
  private headOf(node: RadixNode, count: number): RadixNode {
    if (count === node.pages.length) return node;
    const head = this.tree.split(node, count);
    this.own(head, head.pages);
    return head;
  }

  private own(node: RadixNode, pages: readonly number[]): void {
    for (const page of pages) this.owners[page] = node;
  }
}

function concat(a: Int32Array, b: Int32Array): Int32Array {
  const joined = new Int32Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
