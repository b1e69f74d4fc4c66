/** Pages in files, as the engine thread sees them: nothing here blocks, and nothing throws. */
export interface PageDisk {
  /** What earlier processes have left is known. */
  readonly isOpen: boolean;
  /** Whether a page of this key is known to be there. */
  has(key: string): boolean;
  /** Keeps a page; drops it where the disk can't keep up. */
  write(key: string, bytes: Uint8Array): void;
  /** Starts reading; pages come, in this order, with `poll`. */
  read(keys: readonly string[]): void;
  /** Whether a page that was asked for hasn't come yet. */
  isReading(key: string): boolean;
  /** Hands out what has come; null where a page can't be read, or isn't what it should be. */
  poll(take: (key: string, bytes: Uint8Array | null, elapsedMs: number) => void): void;
  /** Whether `write` would drop a page now. */
  readonly isBusy: boolean;
  /** Ends it once everything written is on the disk. */
  close(): void;
}
