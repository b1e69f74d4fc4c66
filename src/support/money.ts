/**
 * Money is counted in whole nanodollars, and prices in whole picodollars a token: sums of floats drift, and a budget that
 * drifts is exceeded. Both stay exact up to 9 million dollars (2^53 nanodollars).
 */
export const NANODOLLARS_PER_DOLLAR = 1e9;

/** The most that may be said as one amount; sums of a few thousand of them are still exact. */
export const MAX_DOLLARS = 1_000_000;

/** Nearest whole nanodollar. */
export function nanodollars(dollars: number): number {
  return Math.round(dollars * NANODOLLARS_PER_DOLLAR);
}

/** For people and the wire; never for counting. */
export function dollars(amount: number): number {
  return amount / NANODOLLARS_PER_DOLLAR;
}

/** "$1.50", "$0.000012": at least two decimals, and as many as the amount has. */
export function formatDollars(amount: number): string {
  const sign = amount < 0 ? '-' : '';
  const absolute = Math.abs(amount);
  const whole = Math.floor(absolute / NANODOLLARS_PER_DOLLAR);
  const fraction = String(absolute % NANODOLLARS_PER_DOLLAR)
    .padStart(9, '0')
    .replace(/0+$/, '')
    .padEnd(2, '0');
  return `${sign}$${whole}.${fraction}`;
}
