export interface Rung {
  index: number;
  isLast: boolean; // no further one would be affordable after it
  tooDear: number[]; // passed over on the way
}

/**
 * The next model of a cascade, of those from `from` on, whose estimated cost fits into what is left of `maxDollars` (null:
 * no bound). Null where there is none; `spentDollars` is what the earlier ones cost. O(models).
 */
export function nextRung(
  estimatesDollars: readonly number[],
  from: number,
  spentDollars: number,
  maxDollars: number | null,
): Rung | null {
  const left = maxDollars === null ? Number.POSITIVE_INFINITY : maxDollars - spentDollars;
  const index = estimatesDollars.findIndex((dollars, at) => at >= from && dollars <= left);
  if (index < 0) return null;
  const leftAfter = left - estimatesDollars[index]!;
  const isLast = !estimatesDollars.some((dollars, at) => at > index && dollars <= leftAfter);
  return { index, isLast, tooDear: Array.from({ length: index - from }, (_, offset) => from + offset) };
}
