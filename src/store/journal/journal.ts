import { SluiceError } from '../../errors.js';
import type { LedgerEntry } from '../types.js';
import type { JournalWriter } from './writer.js';

/** How late reports of another process may be, and how much one transaction gathers. */
const APPLY_DELAY_MS = 50;

export interface JournalOptions {
  /** Called when the first entry comes. */
  open: () => Promise<JournalWriter>;
  /** Brings what is written into the store; resolves with how many entries that has refused. */
  apply: () => Promise<number>;
  maxUnapplied: number; // entries
  retryMs: number;
  onFault: (error: unknown) => void;
}

/** The ledger's entries on their way to the store: written at once, and brought into its tables soon, many at a time. */
export class Journal {
  readonly #options: JournalOptions;
  #writer: JournalWriter | null = null;
  #unapplied = 0;
  #timer: NodeJS.Timeout | null = null; // until it has been applied
  #isClosed = false;
  #applying: Promise<void> = Promise.resolve();

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the entries outlive the process. Rejects, and has to be called again with the same ones first, where they can't be written, or
   * where the store has fallen too far behind.
   */
  async appendLedger(entries: readonly LedgerEntry[]): Promise<void> {
    if (this.#unapplied >= this.#options.maxUnapplied)
      throw new SluiceError('store_unavailable', 'The store takes no more of the journal.');
    this.#writer ??= await this.#options.open();
    this.#writer.append(entries);
    this.#unapplied += entries.length;
    this.#schedule(APPLY_DELAY_MS);
  }

  /** What the store doesn't take even now stays in the journal. */
  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#isClosed = true;
    await this.#applying;
    await this.#apply();
    this.#writer?.close();
  }

  #schedule(delayMs: number): void {
    if (this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#applying = this.#apply();
    }, delayMs).unref();
  }

  async #apply(): Promise<void> {
    const entries = this.#unapplied;
    let delayMs = APPLY_DELAY_MS;
    try {
      const refused = entries > 0 ? await this.#options.apply() : 0;
      this.#unapplied -= entries;
      if (refused > 0)
        this.#options.onFault(new Error(`${refused} lines of the journal are no entries of the ledger`));
    } catch (error) {
      this.#options.onFault(error);
      delayMs = this.#options.retryMs;
    }
    this.#timer = null;
    if (this.#unapplied > 0) this.#schedule(delayMs);
  }
}
