import type { PageDisk } from '../../src/engine/page-store/page-disk.js';
import type { Random } from './random.js';

interface Read {
  key: string;
  polls: number; // until it comes; Infinity: never
}

/** A disk that is slow, drops what it is given, loses pages, and hangs: as often as `faultRate` says. */
export class FakeDisk implements PageDisk {
  readonly isOpen = true;
  readonly isBusy = false;
  private readonly pages = new Map<string, Uint8Array>();
  private reads: Read[] = [];

  constructor(
    private readonly random: Random,
    private readonly faultRate: number,
  ) {}

  has(key: string): boolean {
    return this.pages.has(key);
  }

  write(key: string, bytes: Uint8Array): void {
    if (!this.fails()) this.pages.set(key, bytes.slice());
  }

  read(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.isReading(key)) continue;
      this.reads.push({ key, polls: this.fails() ? Number.POSITIVE_INFINITY : this.random.int(0, 3) });
    }
  }

  isReading(key: string): boolean {
    return this.reads.some((read) => read.key === key);
  }

  poll(take: (key: string, bytes: Uint8Array | null, elapsedMs: number) => void): void {
    while (this.reads.length > 0 && this.reads[0]!.polls-- <= 0) {
      const { key } = this.reads.shift()!;
      if (this.fails()) this.pages.delete(key);
      take(key, this.pages.get(key) ?? null, 1);
    }
  }

  close(): void {
    this.reads = [];
  }

  private fails(): boolean {
    return this.random.chance(this.faultRate);
  }
}
