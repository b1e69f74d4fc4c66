export interface Hypothesis {
  p: number;
  weight: number; // share of the error that it gets at first; together ≤ 1
}

/**
 * Which hypotheses to reject so that the chance of any false rejection stays ≤ alpha: Holm's step-down procedure, with
 * weights (Holm 1979, section 4). What a rejected one had is shared among those that are left.
 */
export function holm(hypotheses: readonly Hypothesis[], alpha: number): boolean[] {
  const order = hypotheses
    .map(({ p, weight }, index) => ({ p, weight, index }))
    .sort((a, b) => a.p / a.weight - b.p / b.weight);
  const rejected = hypotheses.map(() => false);
  let weightLeft = order.reduce((sum, { weight }) => sum + weight, 0);
  for (const { p, weight, index } of order) {
    if (p > (alpha * weight) / weightLeft) break;
    rejected[index] = true;
    weightLeft -= weight;
  }
  return rejected;
}
