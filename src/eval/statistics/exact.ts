import type { Random } from '../../support/random.js';

/**
 * Chance that of `total` fair coins at least `hits` show heads: McNemar's exact test, one-sided, where `total` pairs disagree
 * and `hits` of them in the direction asked about. 1 where no pair disagrees.
 */
export function binomialTail(hits: number, total: number): number {
  if (hits <= 0) return 1;
  let logTerm = -total * Math.LN2; // of C(total, k) / 2^total, from k = 0 upwards
  let tail = 0;
  for (let k = 0; k <= total; k += 1) {
    if (k >= hits) tail += Math.exp(logTerm);
    logTerm += Math.log(total - k) - Math.log(k + 1);
  }
  return Math.min(1, tail);
}

/** Signs drawn at most for one test: many cases need fewer draws of all their signs for the same time, about a second. */
const MAX_SIGNS = 100_000_000;
const LEAST_DRAWS = 2_000;

/** Two-sided McNemar test (exact): `better` and `worse` are the pairs that disagree. */
export function mcnemar(better: number, worse: number): number {
  return Math.min(1, 2 * binomialTail(Math.max(better, worse), better + worse));
}

/**
 * Chance of a mean as low as this if each difference might as well have had the other sign (Fisher's randomisation test).
 * Exact where all differences are −1, 0 or 1, as of pass and fail: then it is McNemar's; else by up to `draws` draws of
 * random signs.
 */
export function signFlipLower(differences: readonly number[], draws: number, random: Random): number {
  const moved = differences.filter((difference) => difference !== 0);
  if (moved.every((difference) => Math.abs(difference) === 1)) {
    return binomialTail(moved.filter((difference) => difference < 0).length, moved.length);
  }
  const observed = moved.reduce((sum, difference) => sum + difference, 0);
  const tolerance = 1e-12 * moved.reduce((sum, difference) => sum + Math.abs(difference), 0);
  const most = Math.min(draws, Math.max(LEAST_DRAWS, Math.floor(MAX_SIGNS / moved.length)));
  let asLow = 1; // the observed one is itself one of the draws
  for (let draw = 0; draw < most; draw += 1) {
    let sum = 0;
    for (const difference of moved) sum += random() < 0.5 ? difference : -difference;
    if (sum <= observed + tolerance) asLow += 1;
  }
  return asLow / (most + 1);
}
