import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import type { Fault, Scene } from './fault.js';
import type { Direction } from './network.js';
import { kill, type Member } from './world.js';

const REDIS_DOWN_MS = 500;
const CLOCK_STEP_SECONDS = 3600;

export const faults: readonly Fault[] = [
  {
    name: 'worker killed, idle',
    isAtOnce: true,
    happen: async ({ world, random }) => {
      await kill(random.pick(world.workers), world.workers);
      await world.addWorker();
    },
  },
  {
    name: 'worker killed in prefill',
    isAtOnce: true,
    happen: (scene) => killWorker(scene, 'prefilling'),
  },
  {
    name: 'worker killed in mid-stream',
    happen: (scene) => killWorker(scene, 'decoding'),
  },
  {
    name: 'gateway killed',
    happen: async ({ world, random }) => {
      const victim = random.pick(world.gateways);
      await kill(victim, world.gateways);
      await world.addGateway(victim);
    },
  },
  {
    name: 'Redis killed, started again (AOF)',
    happen: async ({ world: { redis }, random }) => {
      await redis.kill();
      await delay(random.unit() * REDIS_DOWN_MS);
      await redis.restart();
    },
  },
  {
    name: 'Redis paused',
    happen: async ({ world: { redis }, longestMs }) => {
      redis.pause();
      await delay(longestMs);
      redis.resume();
    },
  },
  {
    name: 'Redis flushed',
    happen: async ({ world: { redis } }) => {
      redis.cli('FLUSHALL');
    },
  },
  {
    name: 'worker cut off one way',
    happen: async (scene) => cutOneWay(scene, scene.random.pick(scene.world.workers)),
  },
  {
    name: 'gateway cut off one way',
    happen: async (scene) => cutOneWay(scene, scene.random.pick(scene.world.gateways)),
  },
  {
    name: 'clients read slowly',
    hasSmallBuffers: true,
    readPauseMs: ({ random, longestMs }) => random.unit() * longestMs,
    happen: () => Promise.resolve(),
  },
  {
    name: 'gateway hangs, results pile up',
    happen: (scene) => hang(scene, scene.random.pick(scene.world.gateways)),
  },
  {
    name: 'worker hangs, connected',
    happen: (scene) => hang(scene, scene.random.pick(scene.world.workers)),
  },
  {
    name: 'clocks step by an hour',
    world: { hasSteppableClocks: true },
    happen: async (scene) => {
      const { world, random } = scene;
      const clocks = [world.redisClock!, ...[...world.gateways, ...world.workers].map(({ clock }) => clock!)];
      random.pick(clocks).step(random.chance(0.5) ? CLOCK_STEP_SECONDS : -CLOCK_STEP_SECONDS);
      // What is given to another worker after the step has its times computed anew.
      if (random.chance(0.5)) await killWorker(scene, 'decoding');
    },
  },
  {
    name: 'entries delivered twice',
    happen: async ({ world: { redis }, random }) => {
      redis.cli('EVAL', random.chance(0.5) ? COPY_ENTRIES : DELIVER_AGAIN, '0');
    },
  },
  {
    name: 'results delivered twice',
    happen: async ({ world: { redis } }) => {
      redis.cli('EVAL', COPY_RESULTS, '0');
    },
  },
];

const copyAll = (pattern: string) => `
for _, stream in ipairs(redis.call('KEYS', '${pattern}')) do
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
    redis.call('XADD', stream, '*', unpack(entry[2]))
  end
end`;
const COPY_ENTRIES = copyAll('*:work:*');
const COPY_RESULTS = copyAll('*:results');
/** To whoever asks next, as if nobody had had them. */
const DELIVER_AGAIN = `
for _, stream in ipairs(redis.call('KEYS', '*:work:*')) do
  redis.call('XGROUP', 'SETID', stream, 'workers', '0')
end`;

/** The first worker that is at it; then another takes its place. */
async function killWorker({ world }: Scene, phase: 'prefilling' | 'decoding'): Promise<void> {
  const busy = () => world.workers.find(({ activity }) => activity[phase] > 0);
  await eventually(() => busy() !== undefined);
  await kill(busy()!, world.workers);
  await world.addWorker();
}

async function cutOneWay({ random, longestMs }: Scene, { wire }: Member): Promise<void> {
  const directions: Direction[] = ['to-server', 'to-client'];
  wire.cut([random.pick(directions)]);
  await delay(random.unit() * longestMs);
  wire.mend();
}

async function hang({ random, longestMs }: Scene, { process }: Member): Promise<void> {
  process.kill('SIGSTOP');
  await delay(random.unit() * longestMs);
  process.kill('SIGCONT');
}
