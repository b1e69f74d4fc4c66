const Z_ALPHA = 1.645; // one-sided 5 %
const Z_POWER = 0.842; // 80 %

/**
 * Cases that would find a mean change of `effect` with 80 % power in a paired, one-sided test at 5 %. The variance is taken a
 * little larger than seen, since few cases that all agree don't show that none would differ.
 */
export function casesNeeded(differences: readonly number[], effect: number): number {
  const sumOfSquares = differences.reduce((sum, difference) => sum + difference * difference, 0);
  const variance = (sumOfSquares + 1) / (differences.length + 1);
  return Math.ceil((variance * (Z_ALPHA + Z_POWER) ** 2) / effect ** 2);
}
