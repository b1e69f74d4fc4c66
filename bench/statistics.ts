import { percentile } from '../src/support/percentile.js';

export { percentile } from '../src/support/percentile.js';

export interface Spread {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}

/** Null where there is nothing to describe. */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const ascending = Float64Array.from(values).sort();
  return {
    count: ascending.length,
    mean: ascending.reduce((sum, value) => sum + value, 0) / ascending.length,
    p50: percentile(ascending, 0.5),
    p90: percentile(ascending, 0.9),
    p99: percentile(ascending, 0.99),
    max: ascending[ascending.length - 1]!,
  };
}
