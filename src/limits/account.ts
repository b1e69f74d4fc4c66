import { type Limits, noLimits, type Period, type RecentUse, type ScopeTotals } from '../store/types.js';
import type { BoundUse, Standing } from './refusal.js';
import { CalendarWindow, type Instant, SlidingMinute, type Window } from './window.js';

/** What a request takes. Whole numbers. */
export interface Amounts {
  requests: number;
  tokens: number;
  nanodollars: number;
}

export type Unit = keyof Amounts;

/** One limit that stands against an account's use. */
export interface Bound {
  scope: string;
  unit: Unit;
  span: 'minute' | Period;
  limit: number;
  window: Window;
}

/**
 * What one scope (a key, user, team or organisation) has used, in every window there is, so that a limit set later finds
 * the past counted. Spend and rate limits are the same thing in different units.
 */
export class Account {
  readonly scope: string;
  inFlight = 0;
  readonly #minute = { requests: new SlidingMinute(), tokens: new SlidingMinute() };
  readonly #day = { requests: new CalendarWindow('day'), tokens: new CalendarWindow('day') };
  readonly #spend = {
    day: new CalendarWindow('day'),
    week: new CalendarWindow('week'),
    month: new CalendarWindow('month'),
  };
  /** The part of the spend that is certain: what running requests have reserved isn't in it. */
  readonly #settled = {
    day: new CalendarWindow('day'),
    week: new CalendarWindow('week'),
    month: new CalendarWindow('month'),
  };
  readonly #meters: readonly Meter[] = [
    { unit: 'requests', window: this.#minute.requests, settled: null },
    { unit: 'tokens', window: this.#minute.tokens, settled: null },
    { unit: 'requests', window: this.#day.requests, settled: null },
    { unit: 'tokens', window: this.#day.tokens, settled: null },
    { unit: 'nanodollars', window: this.#spend.day, settled: this.#settled.day },
    { unit: 'nanodollars', window: this.#spend.week, settled: this.#settled.week },
    { unit: 'nanodollars', window: this.#spend.month, settled: this.#settled.month },
  ];
  #limits: Limits = noLimits;
  #bounds: Bound[] = [];

  constructor(scope: string) {
    this.scope = scope;
  }

  get limits(): Limits {
    return this.#limits;
  }

  set limits(limits: Limits) {
    this.#limits = limits;
    this.#bounds = this.#boundsOf(limits);
  }

  get bounds(): readonly Bound[] {
    return this.#bounds;
  }

  spent(period: Period, now: Instant): Standing {
    const settled = this.#settled[period].used(now);
    const sinceMs = this.#settled[period].startMs(now);
    const reserved = this.#spend[period].used(now) - settled;
    const { budget } = this.#limits;
    const nanodollars = budget?.period === period ? budget.nanodollars : null;
    return {
      scope: this.scope,
      period,
      budget: nanodollars,
      sinceMs,
      settled,
      reserved,
      running: this.inFlight,
    };
  }

  consume(amounts: Amounts, now: Instant): Hold {
    const places = this.#meters.map(({ unit, window }) => window.consume(amounts[unit], now));
    return new Hold(this.#meters, places);
  }

  /** What was used before this process began. */
  restore(totals: ScopeTotals, now: Instant): void {
    this.#day.requests.consume(totals.requestsOfDay, now);
    this.#day.tokens.consume(totals.tokensOfDay, now);
    for (const spend of [this.#spend, this.#settled]) {
      spend.day.consume(totals.nanodollarsOfDay, now);
      spend.week.consume(totals.nanodollarsOfWeek, now);
      spend.month.consume(totals.nanodollarsOfMonth, now);
    }
  }

  restoreMinute({ atMs, requests, tokens }: RecentUse, now: Instant): void {
    this.#minute.requests.restore(requests, now.wallMs - atMs, now);
    this.#minute.tokens.restore(tokens, now.wallMs - atMs, now);
  }

  #boundsOf(limits: Limits): Bound[] {
    const { budget } = limits;
    const all: [Unit, Bound['span'], number | null, Window][] = [
      ['requests', 'minute', limits.requestsPerMinute, this.#minute.requests],
      ['tokens', 'minute', limits.tokensPerMinute, this.#minute.tokens],
      ['requests', 'day', limits.requestsPerDay, this.#day.requests],
      ['tokens', 'day', limits.tokensPerDay, this.#day.tokens],
    ];
    if (budget) all.push(['nanodollars', budget.period, budget.nanodollars, this.#spend[budget.period]]);
    return all.flatMap(([unit, span, limit, window]) => {
      return limit === null ? [] : [{ scope: this.scope, unit, span, limit, window }];
    });
  }
}

export function useOf({ scope, unit, span, limit, window }: Bound, now: Instant): BoundUse {
  return { scope, unit, span, limit, used: window.used(now), resetMs: window.resetMs(now) };
}

interface Meter {
  unit: Unit;
  window: Window;
  settled: CalendarWindow | null;
}

/** What one request holds of an account. */
export class Hold {
  readonly #meters: readonly Meter[];
  readonly #places: readonly number[];

  constructor(meters: readonly Meter[], places: readonly number[]) {
    this.#meters = meters;
    this.#places = places;
  }

  correct(delta: Amounts, now: Instant): void {
    this.#meters.forEach(({ unit, window }, index) => {
      if (delta[unit] !== 0) window.correct(this.#places[index]!, delta[unit], now);
    });
  }

  /** What is held is `actual` by now, and stays so. */
  settled(actual: Amounts, now: Instant): void {
    this.#meters.forEach(({ unit, settled }, index) => {
      settled?.correct(this.#places[index]!, actual[unit], now);
    });
  }
}
