import type { NativeContext } from '../../native/types.js';
import type { RadixNode } from '../radix-tree.js';
import type { Sequence } from '../sequence.js';
import { HostTier } from './host-tier.js';
import type { PageDisk } from './page-disk.js';
import { PageKeys } from './page-keys.js';

/** Assumed until something has been measured, in bytes a millisecond. */
const hostRate = 2_000_000;
const diskRate = 200_000;
const newestShare = 0.1; // of a measurement in the average

/** Pages that one sequence has read from disk at a time, as a share of the host tier that they go through. */
const fetchShare = 1 / 2;

/** A page of the cache, with the page that its window half lies in; the same where pages are whole. */
export interface CachedPage {
  node: RadixNode;
  index: number;
  page: number;
  windowPage: number;
}

export interface PageStoreOptions {
  context: Pick<NativeContext, 'info' | 'readPage' | 'writePage'>;
  pageSize: number; // tokens
  hostBytes: number;
  /** Names what the pages were computed with; see PageKeys. */
  salt: string;
  disk: PageDisk | null;
  nowMs(): number;
  onFault(error: unknown): void;
}

/**
 * Evicted pages of the prefix cache: in ordinary memory, and behind it on disk. Whatever fails here costs the time to
 * compute the tokens again, and no request.
 */
export class PageStore {
  readonly host: HostTier;
  readonly disk: PageDisk | null;
  readonly counts = { saved: 0, restored: 0, fetched: 0 };
  /** Time spent in copies. */
  spentMs = 0;
  /** Copying a page back takes this long. */
  restoreMs: number;
  private fetchMs: number; // reading one from disk
  private saveBudgetMs = Number.POSITIVE_INFINITY;
  private readonly keys: PageKeys;

  constructor(private readonly options: PageStoreOptions) {
    const { hostBytes, disk, salt, pageSize } = options;
    const { bytesPerPage } = options.context.info;
    this.disk = disk;
    this.host = new HostTier(hostBytes, bytesPerPage, (key, bytes) => disk?.write(key, bytes));
    this.keys = new PageKeys(salt, pageSize);
    this.restoreMs = bytesPerPage / hostRate;
    this.fetchMs = bytesPerPage / diskRate;
  }

  /** Waits until it is known what the disk has, at most until `untilMs`. */
  async open(untilMs: number): Promise<void> {
    const { disk } = this;
    while (disk !== null && !disk.isOpen && this.options.nowMs() < untilMs) await this.pause(disk);
  }

  /** Takes what has come from disk. `saveBudgetMs`: what copies of evicted pages may take until the next call. */
  beginStep(saveBudgetMs: number): void {
    this.saveBudgetMs = saveBudgetMs;
    this.disk?.poll((key, bytes, elapsedMs) => {
      if (bytes === null || bytes.length !== this.options.context.info.bytesPerPage) return;
      this.fetchMs += newestShare * (elapsedMs - this.fetchMs);
      this.counts.fetched++;
      if (!this.host.has(key)) this.host.put(key).set(bytes);
    });
  }

  /** Keeps a page of the cache that is about to be evicted. */
  save(node: RadixNode, index: number, page: number, windowPage: number): void {
    if (this.host.capacity === 0 || this.saveBudgetMs <= 0) return;
    const key = this.keys.ofNode(node, index);
    if (this.host.get(key) !== undefined) return;
    const elapsedMs = this.copy(key, () =>
      this.options.context.readPage(page, windowPage, this.host.put(key)),
    );
    if (elapsedMs === null) return;
    this.saveBudgetMs -= elapsedMs;
    this.counts.saved++;
  }

  /** Pages [from, to) of the sequence that can be restored at once: how many, without a gap. They count as used. */
  available(sequence: Sequence, from: number, to: number): number {
    if (this.host.size === 0) return 0;
    let page = from;
    while (page < to && this.host.get(this.keys.ofSequence(sequence, page)) !== undefined) page++;
    return page - from;
  }

  /**
   * Begins to read from disk what it has of pages [from, to) where that is expected to take less time than
   * `computeMs(pages)`; the sequence is best left waiting for that time at most. 0 where nothing is read.
   */
  fetch(sequence: Sequence, from: number, to: number, computeMs: (pages: number) => number): number {
    const { disk } = this;
    if (disk === null) return 0;
    const first = from + this.available(sequence, from, to);
    const most = Math.min(to, first + Math.floor(this.host.capacity * fetchShare));
    const wanted: string[] = [];
    for (let page = first; page < most; page++) {
      const key = this.keys.ofSequence(sequence, page);
      if (!disk.has(key)) break;
      wanted.push(key);
    }
    const limitMs = computeMs(wanted.length);
    if (wanted.length === 0 || wanted.length * (this.fetchMs + this.restoreMs) >= limitMs) return 0;
    disk.read(wanted);
    sequence.awaitedPage = wanted.at(-1)!;
    return limitMs;
  }

  /** Pages come in the order in which they were asked for. */
  isFetching(sequence: Sequence): boolean {
    const { disk } = this;
    return disk !== null && sequence.awaitedPage !== null && disk.isReading(sequence.awaitedPage);
  }

  /** Writes page `index` of the sequence into a page of the pool. False where it is gone or can't be written. */
  restore(sequence: Sequence, index: number, page: number, windowPage: number): boolean {
    const key = this.keys.ofSequence(sequence, index);
    const bytes = this.host.get(key);
    if (bytes === undefined) return false;
    const elapsedMs = this.copy(key, () => this.options.context.writePage(page, windowPage, bytes));
    if (elapsedMs === null) return false;
    this.restoreMs += newestShare * (elapsedMs - this.restoreMs);
    this.counts.restored++;
    return true;
  }

  /** Brings what the cache and the host tier hold to the disk, for the next start, until `untilMs`; then ends it. */
  async close(cached: Iterable<CachedPage>, untilMs: number): Promise<void> {
    const { disk } = this;
    if (disk === null) return;
    const bytes = new Uint8Array(this.options.context.info.bytesPerPage);
    for (const { node, index, page, windowPage } of cached) {
      const key = this.keys.ofNode(node, index);
      if (disk.has(key) || this.host.has(key)) continue;
      if (!(await this.hasRoom(disk, untilMs))) break;
      if (this.copy(key, () => this.options.context.readPage(page, windowPage, bytes)) !== null)
        disk.write(key, bytes);
    }
    for (const key of this.host.keys().reverse()) {
      if (disk.has(key)) continue;
      if (!(await this.hasRoom(disk, untilMs))) break;
      disk.write(key, this.host.get(key)!);
    }
    disk.close();
  }

  private async hasRoom(disk: PageDisk, untilMs: number): Promise<boolean> {
    while (disk.isBusy && this.options.nowMs() < untilMs) await this.pause(disk);
    return !disk.isBusy;
  }

  private async pause(disk: PageDisk): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    disk.poll(() => {});
  }

  /** Milliseconds that it took; null where it failed, and then the tier has no such page. */
  private copy(key: string, run: () => void): number | null {
    const startMs = this.options.nowMs();
    try {
      run();
    } catch (error) {
      this.host.delete(key);
      this.options.onFault(error);
      return null;
    }
    const elapsedMs = this.options.nowMs() - startMs;
    this.spentMs += elapsedMs;
    return elapsedMs;
  }
}
