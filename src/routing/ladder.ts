export interface Rung {
  index: number;
  isLast: boolean; // no further one would be affordable after it
  tooDear: number[]; // passed over on the way
}

/**
 * The next model of a cascade, of those from `from` on, whose estimated cost fits into what is left of `maxNanodollars` (null:
 * no bound). Null where there is none; `spentNanodollars` is what the earlier ones cost. O(models).
 */
export function nextRung(
  estimatesNanodollars: readonly number[],
  from: number,
  spentNanodollars: number,
  maxNanodollars: number | null,
): Rung | null {
  const left = maxNanodollars === null ? Number.POSITIVE_INFINITY : maxNanodollars - spentNanodollars;
  const index = estimatesNanodollars.findIndex((dollars, at) => at >= from && dollars <= left);
  if (index < 0) return null;
  const leftAfter = left - estimatesNanodollars[index]!;
  const isLast = !estimatesNanodollars.some((dollars, at) => at > index && dollars <= leftAfter);
  return { index, isLast, tooDear: Array.from({ length: index - from }, (_, offset) => from + offset) };
}
