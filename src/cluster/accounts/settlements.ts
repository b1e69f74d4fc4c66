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
  /** Counts it and adds it to the shared ledger, as one; where that was done before and isn't forgotten, nothing. */
  send: (entry: LedgerEntry) => Promise<Standing[]>;
  /** They won't be sent again. */
  forget: (entries: readonly LedgerEntry[]) => Promise<void>;
  /** Those that an earlier process has sent won't be sent again, but for these. */
  forgetAllBut: (ids: ReadonlySet<string>) => Promise<void>;
  maxPending: number;
  retryMs: number;
  onFault: (error: unknown) => void;
}

interface Posted {
  entry: LedgerEntry;
  atMs: number; // monotonic
}

/** Longer than what a Redis that crashes may lose: by default it writes to its disk every second, or two if that is slow. */
const CRASH_LOSS_MS = 10_000;

/**
 * This gateway's entries on their way to the shared ledger. What Redis doesn't take is tried again until it does; what it took is
 * remembered until it has come back from the ledger, and for some seconds, since a Redis that was flushed or has crashed may
 * have lost it. To send an entry again that isn't lost changes nothing.
 */
export class Settlements {
  readonly #options: SettlementsOptions;
  readonly #unsent = new Map<string, LedgerEntry>();
  readonly #unseen = new Map<string, Posted>();
  readonly #recent = new Map<string, Posted>(); // the oldest first, as in the other
  readonly #timer: NodeJS.Timeout;
  #done: LedgerEntry[] = []; // that Redis still takes for such as may be sent again
  #isRetrying = false;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#retry(), options.retryMs).unref();
  }

  /** What an earlier process couldn't send. */
  async open(): Promise<void> {
    for (const entry of await this.#options.outbox.unsettled()) this.#unsent.set(entry.id, entry);
    await this.#options.forgetAllBut(new Set(this.#unsent.keys()));
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

  /**
   * The whole ledger was read, from this moment on: what was posted before and wasn't seen is lost. Where Redis was away
   * before, it may have lost what was seen, too.
   */
  async ledgerRead(startedAtMs: number, wasAway: boolean): Promise<void> {
    if (!wasAway) await this.#forgetOld(startedAtMs - CRASH_LOSS_MS);
    const doubtful = new Map(wasAway ? [...this.#unseen, ...this.#recent] : this.#unseen);
    for (const { entry, atMs } of doubtful.values()) if (atMs < startedAtMs) await this.post(entry);
  }

  async #forgetOld(beforeMs: number): Promise<void> {
    for (const [id, { entry, atMs }] of this.#recent) {
      if (atMs >= beforeMs) break;
      this.#recent.delete(id);
      if (!this.#unseen.has(id)) this.#done.push(entry);
    }
    const done = this.#done;
    if (done.length === 0) return;
    this.#done = [];
    await this.#options.forget(done).catch(() => {
      this.#done = [...done, ...this.#done];
    });
  }

  /** Sends what waits, once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#retry();
  }

  async #send(entry: LedgerEntry): Promise<Standing[]> {
    const standings = await this.#options.send(entry);
    const posted = { entry, atMs: performance.now() };
    for (const map of [this.#unseen, this.#recent]) {
      map.delete(entry.id);
      map.set(entry.id, posted);
    }
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
