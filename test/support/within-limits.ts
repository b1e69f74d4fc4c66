import assert from 'node:assert/strict';
import { periodStart } from '../../src/limits/calendar.js';
import { type LedgerEntry, type Limits, type Period, scopesOf } from '../../src/store/types.js';

/** Sums of what was used, checked against every limit without the windows' own arithmetic. */
export function assertWithinLimits(
  entries: readonly LedgerEntry[],
  limits: ReadonlyMap<string, Limits>,
): void {
  for (const [scope, limit] of limits) {
    const own = entries
      .filter((entry) => scopesOf(entry).includes(scope))
      .sort((a, b) => a.admittedAtMs - b.admittedAtMs);
    const requests = () => 1;
    const tokens = (entry: LedgerEntry) => entry.inputTokens + entry.outputTokens;
    assertMinutes(own, requests, limit.requestsPerMinute, `${scope} requests per minute`);
    assertMinutes(own, tokens, limit.tokensPerMinute, `${scope} tokens per minute`);
    assertPeriods(own, requests, 'day', limit.requestsPerDay, `${scope} requests per day`);
    assertPeriods(own, tokens, 'day', limit.tokensPerDay, `${scope} tokens per day`);
    if (!limit.budget) continue;
    const { period, nanodollars } = limit.budget;
    assertPeriods(own, (entry) => entry.nanodollars, period, nanodollars, `${scope} budget`);
  }
}

function assertMinutes(
  entries: readonly LedgerEntry[],
  amount: (entry: LedgerEntry) => number,
  limit: number | null,
  name: string,
): void {
  let oldest = 0;
  let sum = 0;
  for (const entry of entries) {
    sum += amount(entry);
    while (entries[oldest]!.admittedAtMs <= entry.admittedAtMs - 60_000) sum -= amount(entries[oldest++]!);
    assert.ok(sum <= (limit ?? Infinity), `${name}: ${sum} of ${limit}`);
  }
}

function assertPeriods(
  entries: readonly LedgerEntry[],
  amount: (entry: LedgerEntry) => number,
  period: Period,
  limit: number | null,
  name: string,
): void {
  const sums = new Map<number, number>();
  for (const entry of entries) {
    const start = periodStart(period, entry.admittedAtMs);
    sums.set(start, (sums.get(start) ?? 0) + amount(entry));
  }
  for (const sum of sums.values()) assert.ok(sum <= (limit ?? Infinity), `${name}: ${sum} of ${limit}`);
}
