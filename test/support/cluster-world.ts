import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startProxy, type TcpProxy } from './proxy.js';
import { type RedisServer, startRedis } from './redis-server.js';

export interface Member {
  process: ChildProcess;
  proxy: TcpProxy; // its way to Redis
  port: number; // gateways
}

/** A cluster of real processes: Redis, gateways, and workers over scripted engines. */
export class ClusterWorld {
  readonly redis: RedisServer;
  readonly gateways: Member[] = [];
  readonly workers: Member[] = [];
  readonly #options: WorldOptions;
  readonly #folders: string[] = [];

  private constructor(redis: RedisServer, options: WorldOptions) {
    this.redis = redis;
    this.#options = options;
  }

  static async start(options: WorldOptions): Promise<ClusterWorld> {
    const world = new ClusterWorld(await startRedis(), options);
    await Promise.all(Array.from({ length: options.workers }, () => world.addWorker()));
    await Promise.all(Array.from({ length: options.gateways }, () => world.addGateway()));
    return world;
  }

  async addWorker(): Promise<Member> {
    const member = await this.#launch('stub-worker.js', {
      delayMs: this.#options.stepMs,
      settings: { 'engine.maxSequences': this.#options.maxSequences ?? 16, ...this.#options.settings },
    });
    this.workers.push(member);
    return member;
  }

  async addGateway(): Promise<Member> {
    const folder = this.#options.hasKeys ? mkdtempSync(join(tmpdir(), 'sluice-gateway-')) : undefined;
    if (folder !== undefined) this.#folders.push(folder);
    const options = { settings: this.#options.settings ?? {}, dataFolder: folder };
    const member = await this.#launch('stub-gateway.js', options);
    this.gateways.push(member);
    return member;
  }

  async close(): Promise<void> {
    const members = [...this.gateways, ...this.workers];
    await Promise.all(members.map((member) => end(member)));
    await this.redis.close();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  async #launch(script: string, options: object): Promise<Member> {
    const proxy = await startProxy(this.redis.port);
    const argument = JSON.stringify({ redis: { url: `redis://127.0.0.1:${proxy.port}` }, ...options });
    const entry = fileURLToPath(new URL(`./${script}`, import.meta.url));
    const child = spawn(process.execPath, [entry, argument], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...this.#options.environment },
    });
    const [line] = await Promise.race([
      once(createInterface(child.stdout!), 'line') as Promise<[string]>,
      once(child, 'exit').then(([code]) => {
        throw new Error(`${script} ended with ${code}`);
      }),
    ]);
    return { process: child, proxy, port: Number(line) };
  }
}

export interface WorldOptions {
  gateways: number;
  workers: number;
  stepMs: number; // of the scripted engines
  maxSequences?: number;
  settings?: Record<string, unknown>;
  environment?: Record<string, string>;
  hasKeys?: boolean; // gateways share keys, limits and usage
}

async function end({ process: child, proxy }: Member): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  proxy.close();
}
