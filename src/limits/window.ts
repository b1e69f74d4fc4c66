import type { Period } from '../store/types.js';
import { periodEnd, periodStart } from './calendar.js';

/**
 * A moment on two clocks: minutes are measured on one that is never set, days and months are the calendar's.
 */
export interface Instant {
  monotonicMs: number;
  wallMs: number; // since 1970
}

/** How much of something was used within a span of time that moves on. */
export interface Window {
  used(now: Instant): number;
  /** Counts `amount` as used now. The result is where it was counted, for {@link correct}. */
  consume(amount: number, now: Instant): number;
  /** Adds to what was counted at `place`, unless that has left the window since. */
  correct(place: number, delta: number, now: Instant): void;
  /** Milliseconds until `amount` more fits under `limit` if nothing else is used; 0: now, Infinity: never. */
  waitMs(amount: number, limit: number, now: Instant): number;
  /** Milliseconds until nothing used now counts any more. */
  resetMs(now: Instant): number;
}

const SECOND_MS = 1000;
const MINUTE_SECONDS = 60;
/** One second more than the minute: what was used late in the first second may still lie within the last 60 s. */
const BUCKETS = MINUTE_SECONDS + 1;

/**
 * The last minute, in buckets of a second: no span of 60 s, wherever it begins, ever holds more than the limit. What is
 * used counts for 60 to 61 s. All operations are O(61) at most.
 */
export class SlidingMinute implements Window {
  readonly #buckets = new Float64Array(BUCKETS);
  #sum = 0;
  #second = 0; // of the newest bucket

  used(now: Instant): number {
    this.#advance(now);
    return this.#sum;
  }

  consume(amount: number, now: Instant): number {
    this.#advance(now);
    this.#add(this.#second, amount);
    return this.#second;
  }

  correct(place: number, delta: number, now: Instant): void {
    this.#advance(now);
    if (place > this.#second - BUCKETS) this.#add(place, delta);
  }

  waitMs(amount: number, limit: number, now: Instant): number {
    this.#advance(now);
    if (amount > limit) return Number.POSITIVE_INFINITY;
    let excess = this.#sum + amount - limit;
    if (excess <= 0) return 0;
    for (let second = this.#second - BUCKETS + 1; second <= this.#second; second += 1) {
      excess -= this.#buckets[indexOf(second)]!;
      if (excess <= 0) return (second + BUCKETS) * SECOND_MS - now.monotonicMs;
    }
    return Number.POSITIVE_INFINITY;
  }

  resetMs(now: Instant): number {
    this.#advance(now);
    for (let second = this.#second; second > this.#second - BUCKETS; second -= 1) {
      if (this.#buckets[indexOf(second)]! > 0) return (second + BUCKETS) * SECOND_MS - now.monotonicMs;
    }
    return 0;
  }

  /** What was used before this process began. */
  restore(amount: number, ageMs: number, now: Instant): void {
    this.#advance(now);
    const second = Math.min(this.#second, Math.floor((now.monotonicMs - ageMs) / SECOND_MS));
    if (second > this.#second - BUCKETS) this.#add(second, amount);
  }

  #add(second: number, amount: number): void {
    this.#buckets[indexOf(second)]! += amount;
    this.#sum += amount;
  }

  #advance(now: Instant): void {
    const second = Math.floor(now.monotonicMs / SECOND_MS);
    const passed = Math.min(second - this.#second, BUCKETS);
    for (let step = 0; step < passed; step += 1) {
      const index = indexOf(second - step);
      this.#sum -= this.#buckets[index]!;
      this.#buckets[index] = 0;
    }
    if (passed > 0) this.#second = second;
  }
}

/** The current day, week or month of UTC. */
export class CalendarWindow implements Window {
  readonly #period: Period;
  #used = 0;
  #startMs = Number.NEGATIVE_INFINITY;
  #endMs = Number.NEGATIVE_INFINITY;

  constructor(period: Period) {
    this.#period = period;
  }

  used(now: Instant): number {
    this.#advance(now);
    return this.#used;
  }

  consume(amount: number, now: Instant): number {
    this.#advance(now);
    this.#used += amount;
    return this.#startMs;
  }

  correct(place: number, delta: number, now: Instant): void {
    this.#advance(now);
    if (place === this.#startMs) this.#used += delta;
  }

  waitMs(amount: number, limit: number, now: Instant): number {
    this.#advance(now);
    if (amount > limit) return Number.POSITIVE_INFINITY;
    return this.#used + amount <= limit ? 0 : this.#endMs - now.wallMs;
  }

  resetMs(now: Instant): number {
    this.#advance(now);
    return this.#used > 0 ? this.#endMs - now.wallMs : 0;
  }

  /** When the current period began, in milliseconds since 1970. */
  startMs(now: Instant): number {
    this.#advance(now);
    return this.#startMs;
  }

  /** A clock that is set back stays in the later period: what was used there goes on counting. */
  #advance({ wallMs }: Instant): void {
    if (wallMs < this.#endMs) return;
    this.#startMs = periodStart(this.#period, wallMs);
    this.#endMs = periodEnd(this.#period, wallMs);
    this.#used = 0;
  }
}

function indexOf(second: number): number {
  return ((second % BUCKETS) + BUCKETS) % BUCKETS;
}
