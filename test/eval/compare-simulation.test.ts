import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePairs, defaultCompareOptions, type Pair } from '../../src/eval/compare/verdict.js';
import { deriveSeed, type Random, seededRandom } from '../../src/support/random.js';
import { wilsonInterval, Z_95 } from '../../src/support/wilson.js';

/** What compare promises, checked on runs whose truth is known. Fixed seeds; SLUICE_LONG=1 draws ten times as many. */

const SCALE = process.env.SLUICE_LONG === '1' ? 10 : 1;
const TAGS = 8;

interface World {
  cases: number;
  repeats: number;
  drop: number; // of every case's chance to pass
}

/** Two runs of a suite whose cases have each their own chance to pass, sampled independently: nothing is paired but that chance. */
function simulate({ cases, repeats, drop }: World, random: Random): Pair[] {
  return Array.from({ length: cases }, (_, index) => {
    const chance = Math.min(1, Math.max(0, 0.75 + 0.5 * (random() - 0.5)));
    const run = (p: number) => {
      let sum = 0;
      for (let repeat = 0; repeat < repeats; repeat += 1) sum += Number(random() < p);
      return sum / repeats;
    };
    const before = run(chance);
    const after = run(Math.max(0, chance - drop));
    return { before, after, passedBefore: before, passedAfter: after, tags: [`tag-${index % TAGS}`] };
  });
}

function share(world: World, seed: number, happened: (verdicts: (string | null)[][]) => boolean): number {
  const runs = (world.repeats > 1 ? 100 : 400) * SCALE; // graded scores take longer
  let count = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(deriveSeed(seed, run));
    const options = { ...defaultCompareOptions, seed: run, resamples: 20, signDraws: 2_000 };
    const found = comparePairs(simulate(world, random), options).map(({ tag, verdict }) => [tag, verdict]);
    if (happened(found)) count += 1;
  }
  return count / runs;
}

const anyRegressed = (verdicts: (string | null)[][]) =>
  verdicts.some(([, verdict]) => verdict === 'regressed');
const wholeRegressed = (verdicts: (string | null)[][]) => verdicts[0]![1] === 'regressed';

test('where nothing has changed, at most 5 % of runs are called a regression, in the whole or in any tag', () => {
  for (const [seed, world] of [
    { cases: 300, repeats: 1, drop: 0 },
    { cases: 40, repeats: 1, drop: 0 },
    { cases: 60, repeats: 5, drop: 0 },
  ].entries())
    assert.ok(share(world, seed, anyRegressed) <= 0.05, JSON.stringify(world));
});

test('a drop of 10 points over 300 cases is found at least 80 % of the time', () => {
  const found = share({ cases: 300, repeats: 1, drop: 0.1 }, 11, wholeRegressed);
  assert.ok(found >= 0.8, `found ${found}`);
});

test('repeats add power, though each case counts once', () => {
  const once = share({ cases: 100, repeats: 1, drop: 0.1 }, 12, wholeRegressed);
  const often = share({ cases: 100, repeats: 5, drop: 0.1 }, 12, wholeRegressed);
  assert.ok(often > once + 0.1, `${once} and ${often}`);
});

/** The whole suite, without tags. */
function wholeOf(world: World, random: Random, options = defaultCompareOptions) {
  const pairs = simulate(world, random).map((pair) => ({ ...pair, tags: [] }));
  return comparePairs(pairs, options)[0]!;
}

test('the interval of a change holds the true one about 90 % of the time, and Wilson’s the true rate 95 %', () => {
  const drop = 0.1;
  const runs = 400 * SCALE;
  let held = 0;
  let rateHeld = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = seededRandom(deriveSeed(13, run));
    const options = { ...defaultCompareOptions, seed: run, resamples: 300 };
    const { interval } = wholeOf({ cases: 80, repeats: 1, drop }, random, options);
    if (interval.low <= -drop && -drop <= interval.high) held += 1;
    const hits = Array.from({ length: 40 }, () => random() < 0.9).filter(Boolean).length;
    const [low, high] = wilsonInterval(hits, 40, Z_95);
    if (low <= 0.9 && 0.9 <= high) rateHeld += 1;
  }
  assert.ok(held / runs > 0.85 && held / runs < 0.95, `${held / runs}`);
  assert.ok(rateHeld / runs > 0.92, `${rateHeld / runs}`);
});

test('the number of cases that would do does: 80 % of the time a change of that size is told from chance', () => {
  const world = { cases: 400, repeats: 1, drop: 0.1 };
  const options = { ...defaultCompareOptions, minEffect: world.drop, resamples: 20 };
  const { casesNeeded } = wholeOf(world, seededRandom(14), options);
  const runs = 300 * SCALE;
  let told = 0;
  for (let run = 0; run < runs; run += 1)
    if (wholeOf({ ...world, cases: casesNeeded }, seededRandom(deriveSeed(15, run)), options).p <= 0.05)
      told += 1;
  assert.ok(told / runs > 0.72 && told / runs < 0.9, `${told / runs} with ${casesNeeded}`);
});
