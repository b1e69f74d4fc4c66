export interface BackoffLimits {
  maxBlocks: number; // within the window; 0: no limit
  windowMs: number;
}

interface Record {
  blocksAtMs: number[]; // within the window, ascending
  strikes: number; // blocks beyond the limit, one after the other
  untilMs: number;
}

const FIRST_WAIT_MS = 1_000;
const MAX_USERS = 100_000;

/** What keeps the counts of blocked requests; one process's memory, or what several share. */
export interface BlockCounter {
  /** Milliseconds that the user has to wait; 0: none. */
  waitMs(user: string, nowMs: number): Promise<number> | number;
  blocked(user: string, nowMs: number): Promise<void> | void;
}

/**
 * Who probes what gets through is slowed down: beyond so many blocked requests within a window each further one doubles the
 * wait, up to the window.
 */
export class Backoff implements BlockCounter {
  readonly #limits: BackoffLimits;
  readonly #records = new Map<string, Record>();

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
  }

  waitMs(user: string, nowMs: number): number {
    return Math.max(0, (this.#records.get(user)?.untilMs ?? 0) - nowMs);
  }

  blocked(user: string, nowMs: number): void {
    const { maxBlocks, windowMs } = this.#limits;
    if (maxBlocks === 0) return;
    const record = this.#records.get(user) ?? { blocksAtMs: [], strikes: 0, untilMs: 0 };
    const recent = record.blocksAtMs.filter((atMs) => atMs > nowMs - windowMs).slice(-maxBlocks);
    record.strikes = recent.length < maxBlocks ? 0 : record.strikes + 1;
    record.blocksAtMs = [...recent, nowMs];
    if (record.strikes > 0)
      record.untilMs = nowMs + Math.min(windowMs, FIRST_WAIT_MS * 2 ** (record.strikes - 1));
    this.#records.delete(user); // the least recently blocked go first
    this.#records.set(user, record);
    if (this.#records.size > MAX_USERS) this.#records.delete(this.#records.keys().next().value!);
  }
}
