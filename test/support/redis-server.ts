import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RedisServer {
  port: number;
  url: string;
  /** One command, by redis-cli; its standard output. */
  cli(...args: string[]): string;
  /** As a crash would: nothing is written any more. */
  kill(): Promise<void>;
  /** Again on the same port and folder. */
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** A real Redis on a free port, with a folder and an append-only file of its own. */
export async function startRedis(
  options: { arguments?: string[]; cluster?: boolean; environment?: Record<string, string> } = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'));
  const extra = [...(options.arguments ?? []), ...(options.cluster ? ['--cluster-enabled', 'yes'] : [])];
  const { environment = {} } = options;
  const first = await launchSomewhere(folder, extra, environment);
  const { port } = first;
  let { server } = first;
  const cli = (...args: string[]) => {
    const { stdout, status, stderr } = spawnSync('redis-cli', ['-p', String(port), ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`redis-cli ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  if (options.cluster) {
    cli('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!cli('CLUSTER', 'INFO').includes('cluster_state:ok'))
      await new Promise((wake) => setTimeout(wake, 20));
  }
  const kill = async () => {
    server.kill('SIGCONT');
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli,
    kill,
    restart: async () => {
      server = await launch(folder, port, extra, environment);
    },
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Valkey's too: `SLUICE_TEST_REDIS=valkey-server`. */
const PROGRAM = process.env.SLUICE_TEST_REDIS ?? 'redis-server';

/** Tests that run side by side may choose the same port: who comes second takes another. */
async function launchSomewhere(
  folder: string,
  extra: string[],
  environment: Record<string, string>,
): Promise<{ port: number; server: ChildProcess }> {
  for (;;) {
    const port = await freePort();
    try {
      return { port, server: await launch(folder, port, extra, environment) };
    } catch (error) {
      if (!String(error).includes('Address already in use')) throw error;
    }
  }
}

async function launch(
  folder: string,
  port: number,
  extra: string[],
  environment: Record<string, string>,
): Promise<ChildProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const durable = ['--appendonly', 'yes', '--save', ''];
  const server = spawn(PROGRAM, [...settings, ...durable, ...extra], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const failed = once(server, 'error').then(([error]) => {
    throw new Error(`${PROGRAM} can't be started (${error.code}). Install it: apt-get install redis-server`);
  });
  await Promise.race([ready(server), failed]);
  return server;
}

async function ready(server: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of server.stdout!.setEncoding('utf8')) {
    said += chunk;
    if (said.includes('Ready to accept connections')) {
      server.stdout!.on('data', () => undefined); // so that the pipe never fills
      return;
    }
  }
  throw new Error(`redis-server ended:\n${said}`);
}

/** Below those that systems give away by themselves, also with 10,000 added, where nodes of a cluster speak: it stays free until it's taken. */
const PORTS = { first: 20_000, count: 2_700 };

export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    if ((await canListen(port)) && (await canListen(port + 10_000))) return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
