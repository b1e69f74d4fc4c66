import type { CachedPage, PageStore } from './page-store/page-store.js';
import { PagePool } from './pages.js';
import { RadixCache } from './radix.js';
import type { RadixNode } from './radix-tree.js';
import type { Sequence } from './sequence.js';
import { Sessions } from './sessions.js';
import { type WindowConfig, WindowPages } from './window-pages.js';

export interface PlacementConfig {
  pageSize: number; // tokens
  pages: number;
  maxSequences: number;
  maxPagesPerSequence: number;
  sessionMaxTokens: number;
  /** Of a model some of whose layers see a window only; null: pages are whole. */
  window: WindowConfig | null;
}

/**
 * Which pages a sequence has: its slot, its row of the block tables, and its path of the prefix cache. Out of pages:
 * leaves of the cache go first, then the sessions.
 */
export class Placement {
  readonly pool: PagePool;
  readonly cache: RadixCache;
  readonly sessions: Sessions;
  readonly windows: WindowPages | null;
  /** [maxSequences × maxPagesPerSequence], row-major; shared with the native context. */
  readonly blockTables: Int32Array;
  /** Keeps evicted pages, where there is one. */
  store: PageStore | null = null;
  private readonly rows: Int32Array[];
  private readonly slotTaken: Uint8Array;

  constructor(private readonly config: PlacementConfig) {
    const { window, pages, pageSize } = config;
    this.windows =
      window && new WindowPages(window, pages, pageSize, (page) => this.saveBeforeItsWindowGoes(page));
    this.pool = new PagePool(pages, (page) => this.windows?.drop(page));
    this.cache = new RadixCache(this.pool, pageSize, {
      windows: this.windows,
      onEvict: (node, index, page) => this.save(node, index, page),
    });
    this.sessions = new Sessions(this.cache, config.sessionMaxTokens);
    const columns = config.maxPagesPerSequence;
    this.blockTables = new Int32Array(config.maxSequences * columns);
    this.rows = Array.from({ length: config.maxSequences }, (_, slot) =>
      this.blockTables.subarray(slot * columns, (slot + 1) * columns),
    );
    this.slotTaken = new Uint8Array(config.maxSequences);
  }

  pagesFor(tokens: number): number {
    return Math.ceil(tokens / this.config.pageSize);
  }

  completePages(tokens: number): number {
    return Math.floor(tokens / this.config.pageSize);
  }

  /**
   * Whether the sequence could run if it were alone. All pages but the pinned ones can be had then, and of the pinned
   * ones those that it would share.
   */
  canEverFit(sequence: Sequence): boolean {
    const pages = this.pagesFor(sequence.maxLength);
    if (pages > this.config.maxPagesPerSequence) return false;
    const shared = sequence.cacheable
      ? this.cache.matchPinned(sequence.tenant, sequence.tokens, sequence.matchLimit)
      : 0;
    return pages <= this.pool.total - this.cache.pinnedPages + shared;
  }

  /** Pages of a waiting sequence that the prefix cache has. */
  cachedPages(sequence: Sequence): number {
    if (!sequence.cacheable) return 0;
    const { matchLimit } = sequence;
    if (sequence.matchVersion !== this.cache.version || sequence.matchedTo !== matchLimit) {
      sequence.matchVersion = this.cache.version;
      sequence.matchedTo = matchLimit;
      const { known, usable } = this.cache.lookUp(sequence.tenant, sequence.tokens, matchLimit);
      sequence.knownPages = known;
      sequence.matchPages = usable;
    }
    return sequence.matchPages;
  }

  /** A slot, what is cached of the sequence, and pages for the rest; or nothing has changed. `spare` pages stay to be had. */
  take(sequence: Sequence, spare: number): boolean {
    const shared = this.cachedPages(sequence);
    const tail = sequence.cacheable
      ? this.cache.lock(sequence.tenant, sequence.tokens, shared * this.config.pageSize)
      : null;
    // One token more than the prompt, so that the first answer token needs no page of its own.
    const needed = this.pagesFor(Math.min(sequence.length + 1, sequence.maxLength)) - shared;
    if (!this.makeRoom(needed, spare)) {
      if (tail !== null) this.cache.unlock(tail);
      return false;
    }
    sequence.slot = this.slotTaken.indexOf(0);
    this.slotTaken[sequence.slot] = 1;
    const row = this.rows[sequence.slot]!;
    if (tail !== null) this.cache.copyPages(tail, row);
    for (let i = 0; i < shared; i++) this.pool.retain(row[i]!);
    for (let i = shared; i < shared + needed; i++) row[i] = this.pool.allocate();
    sequence.tail = tail;
    sequence.sharedPages = shared;
    sequence.pageCount = shared + needed;
    sequence.computed = shared * this.config.pageSize;
    if (this.windows !== null) this.holdShared(this.windows, sequence);
    return true;
  }

  /** The window halves of all pages that tokens up to `end` are written to. Before a step that computes them. */
  openWindow(sequence: Sequence, end: number): void {
    const { windows } = this;
    if (windows === null) return;
    const row = this.rows[sequence.slot]!;
    for (const pages = this.pagesFor(end); sequence.windowTo < pages; sequence.windowTo++) {
      while (!windows.add(row[sequence.windowTo]!))
        if (!this.sessions.dropOldest()) throw new Error('No window page can be had.');
    }
  }

  /** Lets go of what no token behind the sequence's complete pages will see. After a step. */
  moveWindow(sequence: Sequence): void {
    const { windows } = this;
    if (windows === null) return;
    const row = this.rows[sequence.slot]!;
    const from = windows.firstNeeded(this.completePages(sequence.computed));
    // While they are whole: what is evicted later can come back whole only.
    if (from > sequence.sharedPages) this.shareCompletePages(sequence);
    for (; sequence.windowFrom < from; sequence.windowFrom++) {
      const isLikely = this.isLikelyNeeded(windows, sequence, sequence.windowFrom);
      windows.letGo(row[sequence.windowFrom]!, isLikely);
    }
  }

  /** Whether the path to `tail` can be held for good: running sequences must be able to have the window halves they need. */
  canPin(tail: RadixNode): boolean {
    if (this.windows === null) return true;
    return this.windows.pinned + this.cache.windowOf(tail).length <= this.windows.spare;
  }

  /** The page of the position that a sequence computes next; false where none can be had. */
  grow(sequence: Sequence): boolean {
    if (this.pagesFor(sequence.computed + 1) <= sequence.pageCount) return true;
    if (!this.makeRoom(1, 0)) return false;
    this.rows[sequence.slot]![sequence.pageCount++] = this.pool.allocate();
    return true;
  }

  /**
   * Cells behind the sequence's last token, at most `wanted`. More pages than it has are free ones or old ones of the
   * cache, as long as more than `spare` of them are left: nobody is set back.
   */
  cellsBehind(sequence: Sequence, wanted: number, spare: number): number {
    const { pool, cache } = this;
    const row = this.rows[sequence.slot]!;
    while (this.pagesFor(sequence.length + wanted) > sequence.pageCount) {
      if (pool.free + cache.evictable <= spare || !this.makeRoom(1, 0)) break;
      row[sequence.pageCount++] = pool.allocate();
    }
    return Math.min(wanted, sequence.pageCount * this.config.pageSize - sequence.length);
  }

  /** The sequence's pages are back when this returns. `keep` leaves its complete ones to the cache and its session. */
  release(sequence: Sequence, keep: boolean): void {
    const row = this.rows[sequence.slot]!;
    if (sequence.tail !== null && keep) this.shareCompletePages(sequence);
    if (this.windows !== null) this.closeWindow(this.windows, sequence);
    for (let i = 0; i < sequence.pageCount; i++) this.pool.release(row[i]!);
    if (sequence.tail !== null) this.leaveCache(sequence, keep);
    this.slotTaken[sequence.slot] = 0;
    sequence.slot = -1;
    sequence.pageCount = 0;
    sequence.restorablePages = 0;
  }

  /** Gives the cache the pages that have become complete. */
  shareCompletePages(sequence: Sequence): void {
    const complete = this.completePages(sequence.computed);
    if (sequence.tail === null || complete <= sequence.sharedPages) return;
    const row = this.rows[sequence.slot]!;
    sequence.tail = this.cache.extend(sequence.tail, sequence.tokens, sequence.sharedPages, complete, row);
    sequence.sharedPages = complete;
  }

  /** Copies up to `most` pages back that the store has of a sequence. Returns how many; fewer where one was gone. */
  restore(sequence: Sequence, most: number): number {
    const row = this.rows[sequence.slot]!;
    const { pageSize } = this.config;
    let count = 0;
    for (; count < most && sequence.restorablePages > 0; count++) {
      const index = sequence.computed / pageSize;
      this.openWindow(sequence, sequence.computed + pageSize);
      if (!this.store!.restore(sequence, index, row[index]!, this.windowPageOf(row[index]!))) {
        sequence.restorablePages = 0;
        break;
      }
      sequence.restorablePages--;
      sequence.computed += pageSize;
      this.moveWindow(sequence);
    }
    this.shareCompletePages(sequence);
    return count;
  }

  /** The whole pages of the cache, most recently used first, and a page before those that follow it. */
  *cached(): Generator<CachedPage, void, void> {
    for (const place of this.cache.pages()) {
      const windowPage = this.windowPageOf(place.page);
      if (windowPage >= 0) yield { ...place, windowPage };
    }
  }

  /** Throws where the books don't balance. O(1). */
  check(): void {
    this.pool.check();
    this.windows?.check();
    if (this.cache.evictable > this.pool.cached) throw new Error('More evictable than cached pages.');
  }

  private holdShared(windows: WindowPages, sequence: Sequence): void {
    const row = this.rows[sequence.slot]!;
    sequence.windowFrom = windows.firstNeeded(sequence.sharedPages);
    sequence.windowTo = sequence.sharedPages;
    for (let i = sequence.windowFrom; i < sequence.windowTo; i++) windows.hold(row[i]!);
  }

  private closeWindow(windows: WindowPages, sequence: Sequence): void {
    const row = this.rows[sequence.slot]!;
    for (let i = sequence.windowFrom; i < sequence.windowTo; i++) windows.letGo(row[i]!, true);
    sequence.windowTo = sequence.windowFrom;
  }

  /** Others may begin as the sequence does: where it met what was computed before, and with its whole prompt. */
  private isLikelyNeeded(windows: WindowPages, sequence: Sequence, index: number): boolean {
    const promptPages = this.completePages(sequence.promptLength - 1);
    return windows.isNeeded(index, sequence.knownPages) || windows.isNeeded(index, promptPages);
  }

  private windowPageOf(page: number): number {
    return this.windows === null ? page : this.windows.table[page]!;
  }

  private saveBeforeItsWindowGoes(page: number): void {
    const place = this.store === null ? null : this.cache.find(page);
    if (place !== null) this.save(place.node, place.index, page);
  }

  /** Where half of it is gone, it was saved before, or there was no time to. */
  private save(node: RadixNode, index: number, page: number): void {
    const windowPage = this.windowPageOf(page);
    if (windowPage >= 0) this.store?.save(node, index, page, windowPage);
  }

  /** Makes `pages` free, if `spare` more could be had too. */
  private makeRoom(pages: number, spare: number): boolean {
    const sessionPages = this.completePages(this.sessions.heldTokens);
    if (pages + spare > this.pool.free + this.cache.evictable + sessionPages) return false;
    while (pages + spare > this.pool.free + this.cache.evictable) {
      if (!this.sessions.dropOldest()) return false;
    }
    if (pages > this.pool.free) this.cache.evict(pages - this.pool.free);
    return true;
  }

  private leaveCache(sequence: Sequence, keep: boolean): void {
    const tail = sequence.tail!;
    const tokens = sequence.sharedPages * this.config.pageSize;
    if (keep && sequence.sessionId !== null)
      this.sessions.keep(sequence.tenant, sequence.sessionId, tail, tokens);
    this.cache.unlock(tail);
    sequence.tail = null;
    sequence.sharedPages = 0;
  }
}
