import assert from 'node:assert/strict';
import { shrink } from './shrink.js';
import { type RunSummary, World } from './world.js';

/**
 * Sums over the seeds from `first` on, `count` of them. A failing one ends in an error that names the seed and as few of its
 * ticks with load as still fail; `ticks`: only what arrives in these.
 */
export function runSeeds(first: number, count: number, ticks?: readonly number[]): RunSummary {
  const summaries = [];
  for (let seed = first; seed < first + count; seed++) {
    try {
      summaries.push(new World(seed).run(ticks && new Set(ticks)));
    } catch (error) {
      const { message } = error as Error;
      const fewest = ticksThatFail(seed, ticks).join();
      throw new Error(`SIM_SEED=${seed} SIM_TICKS=${fewest}: ${message}`, { cause: error });
    }
  }
  return sumOf(summaries);
}

export function sumOf([first, ...rest]: readonly RunSummary[]): RunSummary {
  const total = { ...first! };
  for (const summary of rest)
    for (const key of Object.keys(total) as (keyof RunSummary)[]) total[key] += summary[key];
  return total;
}

/** The runs reach what they are for. */
export function assertCoverage(total: RunSummary, seeds: number): void {
  assert.equal(total.finished + total.errors, total.requests);
  assert.ok(total.preemptions > seeds / 4, 'preemptions');
  assert.ok(total.prefixHits > seeds, 'prefix hits');
  assert.ok(total.accepted > seeds / 4, 'guesses that were right');
  assert.ok(total.restored > seeds, 'pages copied back');
  assert.ok(total.fetched > seeds / 4, 'pages read from disk');
  assert.ok(total.turnsTaken > seeds, 'steps in which some of one tenant sat out beside another');
  assert.ok(total.drafted > total.accepted, 'guesses that were wrong');
}

function ticksThatFail(seed: number, ticks?: readonly number[]): readonly number[] {
  const all = ticks ?? Array.from({ length: new World(seed).ticks }, (_, tick) => tick);
  return shrink(all, (kept) => fails(seed, kept));
}

function fails(seed: number, kept: readonly number[]): boolean {
  try {
    new World(seed).run(new Set(kept));
    return false;
  } catch {
    return true;
  }
}
