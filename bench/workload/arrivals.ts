import { type Random, randomExponential } from './random.js';

/** Arrival times of a Poisson process, in ms after its start: gaps are independent and exponential. Endless. */
export function* poissonArrivalsMs(ratePerSecond: number, random: Random): Generator<number, never> {
  let atMs = 0;
  while (true) {
    atMs += (randomExponential(random) * 1000) / ratePerSecond;
    yield atMs;
  }
}
