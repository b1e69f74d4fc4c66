import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Books } from '../faults/books.js';
import { faults } from '../faults/faults.js';
import { noTally } from '../faults/tally.js';
import { trial } from '../faults/trial.js';
import { ClusterWorld } from '../faults/world.js';

const CLIENTS = 6;

let world: ClusterWorld;
let books: Books;
before(async () => {
  world = await ClusterWorld.start({ gateways: 2, workers: 2, stepMs: 5, promptMs: 40 });
  books = await Books.open(world);
});
after(() => world?.close());

/** Those that differ most, and need nothing but Redis. `npm run test:faults` repeats all of them, with shipped settings. */
const tried = faults.filter(({ name }) =>
  [
    'worker killed in prefill',
    'worker killed in mid-stream',
    'gateway killed',
    'Redis killed, started again (AOF)',
    'Redis paused',
    'Redis flushed',
    'worker cut off one way',
    'gateway cut off one way',
    'worker hangs, connected',
    'entries delivered twice',
  ].includes(name),
);

for (const fault of tried) {
  test(`${fault.name}: every client gets its answer, once and whole, and pays for it once`, async () => {
    const tally = await trial(world, books, fault, {
      seed: 1,
      clients: CLIENTS,
      latestMs: 250,
      longestMs: 600,
      patienceMs: 30_000,
      onFault: (question, outcome) => console.error(question, outcome),
    });
    assert.deepEqual({ ...tally, askedAgain: 0 }, { ...noTally, requests: CLIENTS });
  });
}
