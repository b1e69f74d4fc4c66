/**
 * What the prefix cache should do, written as plainly as possible: a list of cached pages, each known by its tenant
 * and all tokens up to its end. Every operation looks at the whole list.
 */
interface NaivePage {
  key: string; // tenant, then all tokens up to the page's end
  parent: string;
  depth: number; // pages from the root
  page: number;
  locks: number;
  lastUse: number;
}

export class NaiveCache {
  private pages: NaivePage[] = [];
  private clock = 0;

  constructor(private readonly pageSize: number) {}

  match(tenant: string, tokens: Int32Array, limit: number): number {
    let count = 0;
    while ((count + 1) * this.pageSize <= limit && this.find(this.key(tenant, tokens, count + 1))) count++;
    return count;
  }

  pageIds(tenant: string, tokens: Int32Array, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.find(this.key(tenant, tokens, i + 1))!.page);
  }

  lock(tenant: string, tokens: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.find(this.key(tenant, tokens, i + 1))!.locks++;
  }

  /** Adds and locks pages [from, to); those that are there already keep their page. */
  extend(tenant: string, tokens: Int32Array, from: number, to: number, row: ArrayLike<number>): void {
    for (let i = from; i < to; i++) {
      const key = this.key(tenant, tokens, i + 1);
      const found = this.find(key);
      if (found !== undefined) {
        found.locks++;
        continue;
      }
      const parent = this.key(tenant, tokens, i);
      this.pages.push({ key, parent, depth: i + 1, page: row[i]!, locks: 1, lastUse: 0 });
    }
  }

  unlock(tenant: string, tokens: Int32Array, count: number): void {
    this.clock++;
    for (let i = 0; i < count; i++) {
      const page = this.find(this.key(tenant, tokens, i + 1))!;
      page.locks--;
      page.lastUse = this.clock;
    }
  }

  get evictable(): number {
    return this.pages.filter((page) => page.locks === 0).length;
  }

  /** The page without a lock and without pages behind it that was used longest ago; of one path only the tail is such. */
  evictOne(): number | null {
    const leaves = this.pages.filter(
      (page) => page.locks === 0 && !this.pages.some((other) => other.parent === page.key),
    );
    const oldest = leaves.sort((a, b) => a.lastUse - b.lastUse)[0];
    if (oldest === undefined) return null;
    this.pages = this.pages.filter((page) => page !== oldest);
    return oldest.page;
  }

  private find(key: string): NaivePage | undefined {
    return this.pages.find((page) => page.key === key);
  }

  private key(tenant: string, tokens: Int32Array, count: number): string {
    return `${tenant}|${tokens.subarray(0, count * this.pageSize).join(' ')}`;
  }
}
