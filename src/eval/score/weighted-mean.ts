/** Null where a part is: a mean of the others would be another measure. */
export function weightedMean(parts: readonly { value: number | null; weight: number }[]): number | null {
  let sum = 0;
  let weights = 0;
  for (const { value, weight } of parts) {
    if (value === null) return null;
    sum += value * weight;
    weights += weight;
  }
  return sum / weights;
}
