import { type AttentionWindow, firstVisiblePage } from './attention-window.js';

export interface WindowConfig extends AttentionWindow {
  pages: number; // in their pool
  reserved: number; // of them, what running sequences can need at once
}

const none = -1;

/**
 * The second half of pages: keys and values in the layers whose attention has a window. A page of the PagePool has
 * one of these only while somebody may look at it, so their pool is smaller. Holders are running sequences whose
 * window reaches the page, sessions and pinned prefixes. One without holders is idle: it stays until another page
 * needs its place, since a prompt may come that goes on from there. Those where that is likely go last, and of both
 * kinds the longest idle one first.
 */
export class WindowPages {
  readonly total: number;
  /** [pages of the PagePool]: which page of this pool belongs to it; −1: none. Shared with the native context. */
  readonly table: Int32Array;
  private readonly holders: Int32Array; // by page of the PagePool
  private readonly freeList: number[];
  private heldCount = 0;
  /** Held by pinned prefixes; one that several hold counts for each. */
  pinned = 0;
  private changes = 0;
  /** Idle ones in two rings, each with the longest idle one behind its sentinel. */
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly passed: number; // sentinel of those that nothing has ended at
  private readonly likely: number; // and of those that are likely to be gone on from

  /** `onReclaim` is told of a page before an idle half of it is given away. */
  constructor(
    private readonly config: WindowConfig,
    pages: number,
    private readonly pageSize: number,
    private readonly onReclaim: (page: number) => void,
  ) {
    this.total = config.pages;
    this.table = new Int32Array(pages).fill(none);
    this.holders = new Int32Array(pages);
    this.freeList = Array.from({ length: config.pages }, (_, i) => config.pages - 1 - i);
    this.passed = pages;
    this.likely = pages + 1;
    // Each is a ring of its own at first.
    this.next = Int32Array.from({ length: pages + 2 }, (_, i) => i);
    this.previous = Int32Array.from(this.next);
  }

  get held(): number {
    return this.heldCount;
  }

  get free(): number {
    return this.freeList.length;
  }

  get idle(): number {
    return this.total - this.freeList.length - this.heldCount;
  }

  /** Grows whenever a prefix may be usable, or no longer usable, that wasn't, or was. */
  get version(): number {
    return this.changes;
  }

  has(page: number): boolean {
    return this.table[page] !== none;
  }

  holdersOf(page: number): number {
    return this.holders[page]!;
  }

  /** The first page that must be there for `pages` complete ones to be gone on from. */
  firstNeeded(pages: number): number {
    return firstVisiblePage(this.config, pages, this.pageSize);
  }

  /** Whether whoever goes on behind `pages` complete ones needs the one of this index. */
  isNeeded(index: number, pages: number): boolean {
    return index < pages && index >= this.firstNeeded(pages);
  }

  /** What may be held for good: the rest is what running sequences can need at once. */
  get spare(): number {
    return this.total - this.config.reserved;
  }

  /** A new page gets its half, held once. False where all are held. */
  add(page: number): boolean {
    if (this.has(page)) throw new Error(`Page ${page} has its window half already.`);
    if (this.freeList.length === 0 && !this.reclaim()) return false;
    this.table[page] = this.freeList.pop()!;
    this.holders[page] = 1;
    this.heldCount++;
    return true;
  }

  hold(page: number): void {
    if (!this.has(page)) throw new Error(`Page ${page} has no window half to hold.`);
    if (this.holders[page]!++ > 0) return;
    this.unlink(page);
    this.heldCount++;
  }

  letGo(page: number, isLikely: boolean): void {
    if (this.holders[page] === 0) throw new Error(`Nobody holds the window half of page ${page}.`);
    if (--this.holders[page]! > 0) return;
    this.heldCount--;
    this.link(page, isLikely ? this.likely : this.passed);
  }

  /** The page itself is free. */
  drop(page: number): void {
    if (this.holders[page]! > 0) throw new Error(`Free page ${page} has a window half that is held.`);
    if (!this.has(page)) return;
    this.unlink(page);
    this.take(page);
  }

  /** `kept` takes the place of `own`, which holds the same tokens: its holders, and its half where it has none. */
  exchange(own: number, kept: number): void {
    if (!this.has(own)) return;
    const wasHeld = this.holders[own]! > 0;
    if (wasHeld) this.letGo(own, true);
    if (!this.has(kept)) {
      this.unlink(own);
      this.table[kept] = this.table[own]!;
      this.table[own] = none;
      this.link(kept, this.likely);
      this.changes++;
    }
    if (wasHeld) this.hold(kept);
  }

  /** Throws where the books don't balance. O(1). */
  check(): void {
    if (Math.min(this.heldCount, this.idle) < 0)
      throw new Error(`Window pages: ${this.heldCount} held + ${this.free} free of ${this.total}.`);
  }

  private reclaim(): boolean {
    const ring = this.next[this.passed] === this.passed ? this.likely : this.passed;
    const page = this.next[ring]!;
    if (page === ring) return false;
    this.onReclaim(page);
    this.unlink(page);
    this.take(page);
    this.changes++;
    return true;
  }

  private take(page: number): void {
    this.freeList.push(this.table[page]!);
    this.table[page] = none;
  }

  private link(page: number, ring: number): void {
    const last = this.previous[ring]!;
    this.next[last] = page;
    this.previous[page] = last;
    this.next[page] = ring;
    this.previous[ring] = page;
  }

  private unlink(page: number): void {
    const before = this.previous[page]!;
    const after = this.next[page]!;
    this.next[before] = after;
    this.previous[after] = before;
  }
}
