import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../sim/random.js';
import type { ClusterWorld, Member } from './cluster-world.js';
import { type Seen, streamCompletion } from './stream-client.js';

/** Something that goes wrong. `happen` returns when it is over, and the cluster is whole again. */
export interface Fault {
  name: string;
  happen(world: ClusterWorld, random: Random): Promise<void>;
}

const LONGEST_PAUSE_MS = 2_500;

export const faults: readonly Fault[] = [
  {
    name: 'kill -9 a worker',
    happen: async (world, random) => {
      await kill(random.pick(world.workers), world.workers);
      await world.addWorker();
    },
  },
  {
    name: 'kill -9 a gateway',
    happen: async (world, random) => {
      await kill(random.pick(world.gateways), world.gateways);
      await world.addGateway();
    },
  },
  {
    name: 'Redis killed and started again (AOF)',
    happen: async ({ redis }, random) => {
      await redis.kill();
      await delay(random.unit() * 500);
      await redis.restart();
    },
  },
  {
    name: 'Redis paused',
    happen: async ({ redis }, random) => {
      redis.pause();
      await delay(random.unit() * LONGEST_PAUSE_MS);
      redis.resume();
    },
  },
  {
    name: 'Redis flushed',
    happen: async ({ redis }) => {
      redis.cli('FLUSHALL');
    },
  },
  {
    name: "a worker's connection cut one way, then the other",
    happen: async ({ workers }, random) => {
      const { proxy } = random.pick(workers);
      for (const direction of random.chance(0.5)
        ? (['to-server', 'to-client'] as const)
        : (['to-client'] as const)) {
        proxy.cut(direction);
        await delay(random.unit() * LONGEST_PAUSE_MS);
        proxy.mend();
      }
    },
  },
  {
    name: "a gateway's connection cut",
    happen: async ({ gateways }, random) => {
      const { proxy } = random.pick(gateways);
      proxy.cut(random.chance(0.5) ? 'to-client' : 'both');
      await delay(random.unit() * LONGEST_PAUSE_MS);
      proxy.mend();
    },
  },
  {
    name: 'a worker hangs but stays connected',
    happen: async ({ workers }, random) => {
      const { process } = random.pick(workers);
      process.kill('SIGSTOP');
      await delay(random.unit() * LONGEST_PAUSE_MS);
      process.kill('SIGCONT');
    },
  },
  {
    name: 'a gateway hangs (slow consumer)',
    happen: async ({ gateways }, random) => {
      const { process } = random.pick(gateways);
      process.kill('SIGSTOP');
      await delay(random.unit() * LONGEST_PAUSE_MS);
      process.kill('SIGCONT');
    },
  },
  {
    name: 'entries delivered twice',
    happen: async ({ redis }) => {
      const copy = `for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
        redis.call('XADD', KEYS[1], '*', unpack(entry[2]))
      end`;
      for (const stream of streams(redis)) redis.cli('EVAL', copy, '1', stream);
    },
  },
];

export interface FaultReport {
  requests: number;
  lost: number; // accepted, and not answered to the end
  wrong: number; // texts with gaps, repeats or anything else that isn't the answer
  miscounted: number; // usage that isn't what was generated
  retried: number; // by their clients, whose gateway had died
  leftInRedis: number; // entries of work streams when all was over
}

const TOKENS = 40;
const LEFTOVERS_MS = 5_000;

/** Clients that stream while the fault happens, at a moment that the seed gives. Whose gateway dies asks another. */
export async function underFault(
  world: ClusterWorld,
  fault: Fault,
  seed: number,
  clients: number,
): Promise<FaultReport> {
  const random = new Random(seed);
  const report: FaultReport = {
    requests: clients,
    lost: 0,
    wrong: 0,
    miscounted: 0,
    retried: 0,
    leftInRedis: 0,
  };
  const client = async (number: number) => {
    const prompt = `${fault.name} ${seed} ${number};`;
    await delay(random.unit() * 400);
    const seen = await insistently(world, { prompt, max_tokens: TOKENS }, report, random);
    judge(seen, prompt, report);
  };
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  await delay(random.unit() * 900);
  await fault.happen(world, random);
  await all;
  report.leftInRedis = await leftovers(world);
  return report;
}

async function insistently(
  world: ClusterWorld,
  body: object,
  report: FaultReport,
  random: Random,
): Promise<Seen> {
  for (let attempt = 0; ; attempt += 1) {
    const gateway = random.pick(world.gateways);
    const seen = await streamCompletion(gateway.port, body);
    const isGatewayDead = !world.gateways.includes(gateway);
    const isRefused = seen.end === 'refused'; // not accepted: the client may try again
    if (seen.end === 'complete' || attempt > 100 || !(isGatewayDead || isRefused)) return seen;
    if (isGatewayDead) report.retried += 1;
    await delay(100);
  }
}

function judge(seen: Seen, prompt: string, report: FaultReport): void {
  if (seen.end !== 'complete') {
    report.lost += 1;
    if (process.env.SLUICE_FAULTS_VERBOSE) console.error(prompt, seen);
    return;
  }
  const expected = prompt.repeat(TOKENS).slice(0, TOKENS);
  if (seen.text !== expected) report.wrong += 1;
  if (seen.completionTokens !== TOKENS) report.miscounted += 1;
  if (process.env.SLUICE_FAULTS_VERBOSE && (seen.text !== expected || seen.completionTokens !== TOKENS))
    console.error(prompt, seen);
}

async function leftovers({ redis }: ClusterWorld): Promise<number> {
  const until = performance.now() + LEFTOVERS_MS;
  for (;;) {
    const left = streams(redis).reduce((sum, stream) => sum + Number(redis.cli('XLEN', stream)), 0);
    if (left === 0 || performance.now() > until) return left;
    await delay(50);
  }
}

function streams(redis: ClusterWorld['redis']): string[] {
  return redis.cli('--raw', 'KEYS', '*:work:*').split('\n').filter(Boolean);
}

async function kill({ process, proxy }: Member, members: Member[]): Promise<void> {
  members.splice(
    members.findIndex((member) => member.process === process),
    1,
  );
  process.kill('SIGKILL');
  await once(process, 'exit');
  proxy.close();
}
