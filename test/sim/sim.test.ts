import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shrink } from './shrink.js';
import { type RunSummary, World } from './world.js';

/** SIM_SEED=17 replays one run, with SIM_TICKS=3,41 only what arrives in these ticks; SIM_SEEDS=5000 makes that many. The long suite makes 100,000 (some 5 ms each). */
const only = process.env.SIM_SEED;
const seeds =
  only === undefined
    ? Number(process.env.SIM_SEEDS ?? (process.env.SLUICE_LONG === '1' ? 100_000 : 2_000))
    : 1;
const ticks = process.env.SIM_TICKS?.split(',').map(Number);
const first = only === undefined ? 1 : Number(only);

test(`the engine over a fake model, ${seeds} seeded runs`, (t) => {
  const total: RunSummary = {
    steps: 0,
    requests: 0,
    finished: 0,
    errors: 0,
    preemptions: 0,
    prefixHits: 0,
    drafted: 0,
    accepted: 0,
    restored: 0,
    fetched: 0,
    turnsTaken: 0,
  };
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      const summary = new World(seed).run(ticks && new Set(ticks));
      for (const key of Object.keys(total) as (keyof RunSummary)[]) total[key] += summary[key];
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`SIM_SEED=${seed} SIM_TICKS=${ticksThatFail(seed)}: ${message}`, { cause: error });
    }
  }
  t.diagnostic(JSON.stringify(total));
  assert.equal(total.finished + total.errors, total.requests);
  if (only !== undefined) return;
  // The runs reach what they are for.
  assert.ok(total.preemptions > seeds / 4, 'preemptions');
  assert.ok(total.prefixHits > seeds, 'prefix hits');
  assert.ok(total.accepted > seeds / 4, 'guesses that were right');
  assert.ok(total.restored > seeds, 'pages copied back');
  assert.ok(total.fetched > seeds / 4, 'pages read from disk');
  assert.ok(total.turnsTaken > seeds, 'steps in which some of one tenant sat out beside another');
  assert.ok(total.drafted > total.accepted, 'guesses that were wrong');
});

/** As few of the run's ticks with load as still end in an error. */
function ticksThatFail(seed: number): string {
  const all = ticks ?? Array.from({ length: new World(seed).ticks }, (_, tick) => tick);
  return shrink(all, (kept) => failureOf(seed, kept) !== null).join();
}

function failureOf(seed: number, kept: readonly number[]): unknown {
  try {
    new World(seed).run(new Set(kept));
    return null;
  } catch (error) {
    return error;
  }
}
