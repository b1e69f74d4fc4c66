import type { Random } from '../../src/support/random.js';

export { deriveSeed, type Random, seededRandom } from '../../src/support/random.js';

/** Integer in [low, high], both included. */
export function randomInteger(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** Exponential with mean 1. */
export function randomExponential(random: Random): number {
  return -Math.log1p(-random());
}

/** Standard normal (Box–Muller, one of the pair). */
export function randomNormal(random: Random): number {
  return Math.sqrt(2 * randomExponential(random)) * Math.cos(2 * Math.PI * random());
}
