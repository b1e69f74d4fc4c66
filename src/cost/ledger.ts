import type { LedgerEntry } from '../store/types.js';

/** Entries of one transaction: a settlement never waits long for others'. */
const MAX_BATCH = 1000;

export interface LedgerOptions {
  /** Resolves when the entries outlive the process. Called again with the same first entries where it rejects. */
  store: { appendLedger(entries: LedgerEntry[]): Promise<void> };
  maxPending: number; // entries
  retryMs: number;
  onFault: (error: unknown) => void;
}

interface Pending {
  entry: LedgerEntry;
  kept: () => void;
}

/**
 * Writes entries in batches: what has gathered while one batch is being written is the next. Nothing is ever dropped:
 * when too much waits, `isFull` says so and new requests have to be refused; what fails is tried again.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  #pending: Pending[] = [];
  #isWriting = false;
  #isFailing = false;
  #written = 0;
  #flushed: (() => void)[] = [];

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** True also while the store fails: what is spent then might not outlive the process. */
  get isFull(): boolean {
    return this.#isFailing || this.#pending.length >= this.#options.maxPending;
  }

  /** Entries kept so far. */
  get written(): number {
    return this.#written;
  }

  /**
   * Resolves when the entry is kept even if the process is killed; or, since no answer should wait for a broken disk, as soon
   * as the store has failed.
   */
  append(entry: LedgerEntry): Promise<void> {
    return new Promise((resolve) => {
      this.#pending.push({ entry, kept: resolve });
      if (this.#isFailing) resolve();
      if (!this.#isWriting) void this.#write();
    });
  }

  /** Resolves when nothing waits any more, or the store has failed. */
  flush(): Promise<void> {
    if (!this.#isWriting || this.#isFailing) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, MAX_BATCH);
      try {
        await this.#options.store.appendLedger(batch.map(({ entry }) => entry));
        this.#pending = this.#pending.slice(batch.length);
        this.#isFailing = false;
        this.#written += batch.length;
        for (const { kept } of batch) kept();
      } catch (error) {
        this.#failed(error);
        await delay(this.#options.retryMs);
      }
      // Who comes first in a turn of the event loop waits for nobody; what else ends in it is one write.
      await new Promise(setImmediate);
    }
    this.#isWriting = false;
    this.#release();
  }

  #failed(error: unknown): void {
    this.#isFailing = true;
    this.#options.onFault(error);
    for (const { kept } of this.#pending) kept();
    this.#release();
  }

  #release(): void {
    for (const resolve of this.#flushed.splice(0)) resolve();
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
