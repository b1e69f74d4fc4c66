import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import type { Activity } from '../support/stub-worker.js';
import { type Clock, steppableClock } from './clock.js';
import { type Network, proxied, type Wire } from './network.js';

/** A process of the cluster. */
export interface Member {
  process: ChildProcess;
  wire: Wire;
  clock: Clock | null;
}

export interface GatewayMember extends Member {
  port: number;
  key: string; // of an administrator
  dataFolder: string;
}

export interface WorkerMember extends Member {
  activity: Activity; // as of some ms ago
}

export interface WorldOptions {
  gateways: number;
  workers: number;
  stepMs: number; // of the scripted engines
  promptMs?: number; // that they take for a prompt
  settings?: Record<string, unknown>;
  network?: Network;
  hasSteppableClocks?: boolean;
}

/** Whole numbers of a millionth of a dollar a token, so that what is spent is what was counted. */
const PRICE = { input: 1, output: 1, cachedInput: 1 };
const MAX_SEQUENCES = 16;

/** A cluster of real processes: Redis, gateways with keys and budgets, and workers over scripted engines. */
export class ClusterWorld {
  readonly redis: RedisServer;
  readonly redisClock: Clock | null;
  readonly gateways: GatewayMember[] = [];
  readonly workers: WorkerMember[] = [];
  readonly #network: Network;
  readonly #options: WorldOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-world-'));
  #folders = 0;

  private constructor(redis: RedisServer, redisClock: Clock | null, network: Network, options: WorldOptions) {
    this.redis = redis;
    this.redisClock = redisClock;
    this.#network = network;
    this.#options = options;
  }

  static async start(options: WorldOptions): Promise<ClusterWorld> {
    const network = options.network ?? proxied;
    const clock = options.hasSteppableClocks ? steppableClock() : null;
    const redis = await startRedis({
      arguments: network.redisArguments,
      environment: clock?.environment ?? {},
    });
    const world = new ClusterWorld(redis, clock, network, options);
    try {
      await Promise.all(Array.from({ length: options.workers }, () => world.addWorker()));
      for (let count = 0; count < options.gateways; count += 1) await world.addGateway();
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  async addWorker(): Promise<WorkerMember> {
    const { stepMs, promptMs = 0, settings } = this.#options;
    const { member } = await this.#launch('stub-worker.js', {
      delayMs: stepMs,
      promptMs,
      settings: { 'engine.maxSequences': MAX_SEQUENCES, ...settings },
    });
    const worker = { ...member, activity: { prefilling: 0, decoding: 0 } };
    member.process.on('message', (activity) => {
      worker.activity = activity as Activity;
    });
    this.workers.push(worker);
    return worker;
  }

  /** `replaces`: one that has died, whose data folder it takes over. */
  async addGateway(replaces?: GatewayMember): Promise<GatewayMember> {
    const dataFolder = replaces?.dataFolder ?? join(this.#folder, `gateway-${this.#folders++}`);
    const settings = { 'cost.localPrice': PRICE, ...this.#options.settings };
    const { member, line } = await this.#launch('stub-gateway.js', { settings, dataFolder });
    const port = Number(line);
    const key = replaces?.key ?? (await this.#firstKey(port));
    const gateway = { ...member, port, key, dataFolder };
    this.gateways.push(gateway);
    return gateway;
  }

  async close(): Promise<void> {
    const members = [...this.gateways, ...this.workers];
    await Promise.all(members.map((member) => end(member)));
    await this.redis.close();
    this.redisClock?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Gateways that share keys know those of the first. */
  async #firstKey(port: number): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${port}/admin/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'clients', admin: true, budget: 1_000_000 }),
    });
    if (response.status === 401) return this.gateways[0]!.key;
    return ((await response.json()) as { key: string }).key;
  }

  async #launch(script: string, options: object): Promise<{ member: Member; line: string }> {
    const wire = await this.#network.wireTo(this.redis.port);
    const clock = this.#options.hasSteppableClocks ? steppableClock() : null;
    const entry = fileURLToPath(new URL(`../support/${script}`, import.meta.url));
    const child = spawn(process.execPath, [entry, JSON.stringify({ redis: { url: wire.url }, ...options })], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, ...clock?.environment },
    });
    const [line] = await Promise.race([
      once(createInterface(child.stdout!), 'line') as Promise<[string]>,
      once(child, 'exit').then(([code]) => {
        throw new Error(`${script} ended with ${code}`);
      }),
    ]);
    return { member: { process: child, wire, clock }, line };
  }
}

/** As `kill -9`. */
export async function kill<M extends Member>(member: M, members: M[]): Promise<void> {
  members.splice(members.indexOf(member), 1);
  await end(member);
}

async function end({ process: child, wire, clock }: Member): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  wire.close();
  clock?.close();
}
