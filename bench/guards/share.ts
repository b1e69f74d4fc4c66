import { wilsonInterval } from '../../src/support/wilson.js';

export interface Share {
  hits: number;
  total: number;
}

/** 95 % interval. */
export function intervalOf({ hits, total }: Share): { low: number; high: number } {
  const [low, high] = wilsonInterval(hits, total, 1.96);
  return { low, high };
}
