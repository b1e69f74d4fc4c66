/** Share of the newest interval in the moving average: it follows a change within some tens of events. */
const weight = 1 / 16;

/** How often something happens, as a moving average of the time between two events. */
export class Pace {
  private lastMs: number | null = null;

  /** `intervalMs` is the guess until two events have been seen. */
  constructor(private intervalMs: number) {}

  mark(nowMs: number): void {
    if (this.lastMs !== null) this.intervalMs += (nowMs - this.lastMs - this.intervalMs) * weight;
    this.lastMs = nowMs;
  }

  /** Time in which `count` more events are to be expected. */
  msFor(count: number): number {
    return Math.round(count * this.intervalMs);
  }

  /** Whole seconds in which `count` more events are to be expected, between 1 and `most`. */
  secondsFor(count: number, most: number): number {
    return Math.min(most, Math.max(1, Math.ceil((count * this.intervalMs) / 1_000)));
  }
}
