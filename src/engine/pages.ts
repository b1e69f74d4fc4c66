/**
 * The KV cache's pages. A page is always in exactly one state:
 *   free    nobody holds it
 *   live    at least one running sequence's block table names it
 *   cached  only the prefix cache holds it
 * so `free + cached + live = total` at all times. The cache's hold is a flag beside the reference count, because
 * the tree holds a page at most once while any number of sequences may share it.
 */
export class PagePool {
  readonly total: number;
  private readonly references: Int32Array; // block tables that name the page
  private readonly inCache: Uint8Array;
  private readonly freeList: Int32Array; // a stack: the page freed last is the warmest in the CPU's caches
  private freeCount: number;
  private liveCount = 0;
  private cachedCount = 0;

  /** `onFree` is told of each page that becomes free. */
  constructor(
    total: number,
    private readonly onFree: (page: number) => void = () => {},
  ) {
    if (!Number.isInteger(total) || total < 1) throw new RangeError(`A pool of ${total} pages.`);
    this.total = total;
    this.references = new Int32Array(total);
    this.inCache = new Uint8Array(total);
    this.freeList = Int32Array.from({ length: total }, (_, i) => total - 1 - i);
    this.freeCount = total;
  }

  get free(): number {
    return this.freeCount;
  }

  get live(): number {
    return this.liveCount;
  }

  get cached(): number {
    return this.cachedCount;
  }

  /** A free page, now live with one reference. Callers look at `free` first. */
  allocate(): number {
    if (this.freeCount === 0) throw new Error('No free page.');
    const page = this.freeList[--this.freeCount]!;
    this.references[page] = 1;
    this.liveCount++;
    return page;
  }

  /** One more block table names the page. */
  retain(page: number): void {
    this.assertHeld(page, 'retain');
    if (this.references[page]!++ > 0) return;
    this.cachedCount--;
    this.liveCount++;
  }

  /** One block table less names the page; the last one leaves it to the cache, or frees it. */
  release(page: number): void {
    this.assertId(page);
    if (this.references[page] === 0) throw new Error(`Page ${page} released more often than retained.`);
    if (--this.references[page]! > 0) return;
    this.liveCount--;
    if (this.inCache[page] === 1) this.cachedCount++;
    else this.pushFree(page);
  }

  /** The prefix cache takes hold of a live page. */
  adopt(page: number): void {
    this.assertHeld(page, 'adopt');
    if (this.inCache[page] === 1) throw new Error(`Page ${page} is already in the cache.`);
    this.inCache[page] = 1;
  }

  /** The prefix cache lets go of a page; it is free unless a block table still names it. */
  disown(page: number): void {
    this.assertId(page);
    if (this.inCache[page] === 0) throw new Error(`Page ${page} is not in the cache.`);
    this.inCache[page] = 0;
    if (this.references[page]! > 0) return;
    this.cachedCount--;
    this.pushFree(page);
  }

  isCached(page: number): boolean {
    return this.inCache[page] === 1;
  }

  referencesOf(page: number): number {
    return this.references[page]!;
  }

  /** Throws where the counters contradict each other. O(1): cheap enough for every step. */
  check(): void {
    const sum = this.freeCount + this.cachedCount + this.liveCount;
    if (sum !== this.total || Math.min(this.freeCount, this.cachedCount, this.liveCount) < 0) {
      throw new Error(
        `Pages: ${this.freeCount} free + ${this.cachedCount} cached + ${this.liveCount} live ≠ ${this.total}.`,
      );
    }
  }

  private pushFree(page: number): void {
    this.freeList[this.freeCount++] = page;
    this.onFree(page);
  }

  private assertId(page: number): void {
    if (!(page >= 0 && page < this.total))
      throw new RangeError(`No page ${page} in a pool of ${this.total}.`);
  }

  private assertHeld(page: number, action: string): void {
    this.assertId(page);
    if (this.references[page] === 0 && this.inCache[page] === 0)
      throw new Error(`Cannot ${action} free page ${page}.`);
  }
}
