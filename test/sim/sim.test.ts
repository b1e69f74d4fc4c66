import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertCoverage, runSeeds } from './run.js';

/** SIM_SEED=17 replays one run, with SIM_TICKS=3,41 only what arrives in these ticks; SIM_SEEDS=5000 makes that many. Many more: `npm run test:sim`. */
const only = process.env.SIM_SEED;
const seeds =
  only === undefined
    ? Number(process.env.SIM_SEEDS ?? (process.env.SLUICE_LONG === '1' ? 100_000 : 2_000))
    : 1;
const ticks = process.env.SIM_TICKS?.split(',').map(Number);
const first = only === undefined ? 1 : Number(only);

test(`the engine over a fake model, ${seeds} seeded runs`, (t) => {
  const total = runSeeds(first, seeds, ticks);
  t.diagnostic(JSON.stringify(total));
  if (only === undefined) assertCoverage(total, seeds);
  else assert.equal(total.finished + total.errors, total.requests);
});
