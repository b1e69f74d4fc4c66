import { percentile } from '../../support/percentile.js';
import type { Random } from '../../support/random.js';

export interface Interval {
  low: number;
  high: number;
}

/**
 * Percentile interval of a mean (Efron 1979). Each value is one case, repeats averaged, so that what depends on each other
 * is drawn together. O(resamples × values).
 */
export function bootstrapMean(
  values: readonly number[],
  options: { confidence: number; resamples: number; random: Random },
): Interval {
  const { confidence, resamples, random } = options;
  const count = values.length;
  if (count === 0) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    let sum = 0;
    for (let draw = 0; draw < count; draw += 1) sum += values[Math.floor(random() * count)]!;
    means[resample] = sum / count;
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  return { low: percentile(means, tail), high: percentile(means, 1 - tail) };
}
