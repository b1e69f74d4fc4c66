import type { Standing } from '../../limits/refusal.js';
import type { LedgerEntry } from '../../store/types.js';

/** Keeps entries that Redis doesn't have yet over the end of this process. */
export interface Outbox {
  keepUnsettled(entry: LedgerEntry): Promise<void>;
  dropUnsettled(id: string): Promise<void>;
  unsettled(): Promise<LedgerEntry[]>;
}

export interface SettlementsOptions {
  outbox: Outbox;
  /** Counts it and adds it to the shared ledger, as one; where that was done before, nothing. */
  send: (entry: LedgerEntry) => Promise<Standing[]>;
  maxPending: number;
  retryMs: number;
  onFault: (error: unknown) => void;
}

interface Posted {
  entry: LedgerEntry;
  atMs: number; // monotonic
}

/**
 * This gateway's entries on their way to the shared ledger. What Redis doesn't take is tried again until it does; what it took is
 * remembered until it has come back from the ledger, since a Redis that was flushed, or has lost its last second, has
 * lost it too.
 */
export class Settlements {
  readonly #options: SettlementsOptions;
  readonly #unsent = new Map<string, LedgerEntry>();
  readonly #unseen = new Map<string, Posted>();
  readonly #timer: NodeJS.Timeout;
  #isRetrying = false;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#retry(), options.retryMs).unref();
  }

  /** What an earlier process couldn't send. */
  async open(): Promise<void> {
    for (const entry of await this.#options.outbox.unsettled()) this.#unsent.set(entry.id, entry);
  }

  get isFull(): boolean {
    return this.#unsent.size >= this.#options.maxPending;
  }

  isUnsent(id: string): boolean {
    return this.#unsent.has(id);
  }

  /** Resolves when Redis has the entry, or as soon as it failed to take it: no answer waits for it to come back. */
  async post(entry: LedgerEntry): Promise<Standing[]> {
    try {
      return await this.#send(entry);
    } catch (error) {
      this.#options.onFault(error);
      this.#unsent.set(entry.id, entry);
      await this.#options.outbox.keepUnsettled(entry).catch(this.#options.onFault);
      return [];
    }
  }

  /** It has come back from the ledger. */
  seen(id: string): void {
    this.#unseen.delete(id);
  }

  /** The whole ledger was read, from this moment on: what was posted before and wasn't seen is lost. */
  async repost(readFromMs: number): Promise<void> {
    for (const { entry, atMs } of [...this.#unseen.values()]) {
      if (atMs >= readFromMs) return; // they are in the order of their times
      await this.post(entry);
    }
  }

  /** Sends what waits, once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#retry();
  }

  async #send(entry: LedgerEntry): Promise<Standing[]> {
    const standings = await this.#options.send(entry);
    this.#unseen.delete(entry.id);
    this.#unseen.set(entry.id, { entry, atMs: performance.now() });
    return standings;
  }

  async #retry(): Promise<void> {
    if (this.#isRetrying || this.#unsent.size === 0) return;
    this.#isRetrying = true;
    try {
      for (const entry of [...this.#unsent.values()]) {
        await this.#send(entry);
        this.#unsent.delete(entry.id);
        await this.#options.outbox.dropUnsettled(entry.id);
      }
    } catch (error) {
      this.#options.onFault(error);
    } finally {
      this.#isRetrying = false;
    }
  }
}
