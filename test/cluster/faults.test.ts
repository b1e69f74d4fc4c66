import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClusterWorld } from '../support/cluster-world.js';
import { faults, underFault } from '../support/faults.js';

/** More repeats: SLUICE_FAULT_REPEATS, or scripts/fault-matrix.mjs for the table. */
const repeats = Number(process.env.SLUICE_FAULT_REPEATS ?? 1);
const CLIENTS = 8;

let world: ClusterWorld;
before(async () => {
  world = await ClusterWorld.start({ gateways: 2, workers: 2, stepMs: 20 });
});
after(() => world.close());

for (const fault of faults) {
  test(`${fault.name}: every client gets its answer, once and whole`, async () => {
    for (let seed = 0; seed < repeats; seed += 1) {
      const { retried: _, ...report } = await underFault(world, fault, seed, CLIENTS);
      const clean = { requests: CLIENTS, lost: 0, wrong: 0, miscounted: 0, leftInRedis: 0 };
      assert.deepEqual(report, clean, `seed ${seed}`);
    }
  });
}
