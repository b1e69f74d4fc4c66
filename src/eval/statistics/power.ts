const Z_POWER = 0.842; // 80 %

/**
 * Cases that would tell a mean change of `effect` from chance with 80 % power in a paired, one-sided test at `alpha`. The variance is
 * taken a little larger than seen, since few cases that all agree don't show that none would differ.
 */
export function casesNeeded(differences: readonly number[], effect: number, alpha: number): number {
  const sumOfSquares = differences.reduce((sum, difference) => sum + difference * difference, 0);
  const variance = (sumOfSquares + 1) / (differences.length + 1);
  return Math.ceil((variance * (upperQuantile(alpha) + Z_POWER) ** 2) / effect ** 2);
}

/** The z that a standard normal exceeds with chance p, 0 < p ≤ ½, to 0.00045 (Abramowitz and Stegun 26.2.23). */
export function upperQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - above / below;
}
