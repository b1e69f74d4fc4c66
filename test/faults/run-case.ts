/**
 * Repeats one fault and prints what came of it as JSON. It must be alone in a network namespace: `main.ts` sees to that.
 * Arguments: name of the fault, repeats, first seed, clients, minutes after which no repeat begins.
 */
import { writeFileSync } from 'node:fs';
import { configSchema } from '../../src/config/index.js';
import { Books } from './books.js';
import { faults } from './faults.js';
import { filtered } from './network.js';
import { isClean, noTally, sumOf } from './tally.js';
import { trial } from './trial.js';
import { ClusterWorld } from './world.js';

const LATEST_MS = 900;
const LONGEST_MS = 10_000;
const PATIENCE_MS = 120_000;
/** So small that an answer of forty tokens doesn't fit. */
const SMALL_BUFFERS = '2304 2304 4608';

const [name, ...numbers] = process.argv.slice(2) as [string, ...string[]];
const [repeats, firstSeed, clients, minutes] = numbers.map(Number) as [number, number, number, number];
const fault = faults.find((each) => each.name === name)!;
const { cluster, redis } = configSchema.parse({});

if (fault.hasSmallBuffers)
  for (const buffer of ['tcp_rmem', 'tcp_wmem']) writeFileSync(`/proc/sys/net/ipv4/${buffer}`, SMALL_BUFFERS);

const world = await ClusterWorld.start({
  gateways: 2,
  workers: 2,
  stepMs: 20,
  promptMs: 100,
  settings: { 'cluster.leaseMs': cluster.leaseMs, 'redis.silenceMs': redis.silenceMs },
  network: filtered(),
  ...fault.world,
});
let sum = noTally;
let times = 0;
try {
  const books = await Books.open(world);
  for (let seed = firstSeed; times < repeats && isInTime(); seed += 1) {
    const tally = await trial(world, books, fault, {
      seed,
      clients: clients,
      latestMs: LATEST_MS,
      longestMs: LONGEST_MS,
      patienceMs: PATIENCE_MS,
      onFault: (question, outcome) => say(`seed ${seed}: ${JSON.stringify({ question, outcome })}`),
    });
    sum = sumOf(sum, tally);
    times += 1;
    if (!isClean(tally)) say(`seed ${seed}: ${JSON.stringify(tally)}`);
    else if (times % 10 === 0) say(`${times} times`);
  }
} finally {
  await world.close();
}
process.stdout.write(`${JSON.stringify({ name, times, ...sum })}\n`);
process.exit();

function isInTime(): boolean {
  return performance.now() < minutes * 60_000;
}

function say(text: string): void {
  process.stderr.write(`${name}: ${text}\n`);
}
