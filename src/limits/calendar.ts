import type { Period } from '../store/types.js';

const DAY_MS = 86_400_000;
const MONDAY_OFFSET_DAYS = 3; // 1970-01-01 was a Thursday

/** When the period of the UTC calendar that a moment lies in began, in milliseconds since 1970. */
export function periodStart(period: Period, atMs: number): number {
  const day = Math.floor(atMs / DAY_MS);
  if (period === 'day') return day * DAY_MS;
  if (period === 'week') return (day - ((((day + MONDAY_OFFSET_DAYS) % 7) + 7) % 7)) * DAY_MS;
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** When the next one begins. */
export function periodEnd(period: Period, atMs: number): number {
  if (period === 'day') return periodStart('day', atMs) + DAY_MS;
  if (period === 'week') return periodStart('week', atMs) + 7 * DAY_MS;
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
