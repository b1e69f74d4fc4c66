import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from 'redis';
import { projectRoot } from '../../src/support/root.js';
import { freePort, ServerProcess } from '../servers/server.js';
import type { BullmqOptions } from './bullmq.js';
import type { StubProcessOptions } from './stub-process.js';

const START_TIMEOUT_MS = 60_000;

export interface BenchRedis {
  pid: number;
  port: number;
  url: string;
  send(...command: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** With an append-only file, as it is meant to run. */
export async function startRedis(): Promise<BenchRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const child = spawn('redis-server', [...settings, '--appendonly', 'yes', '--save', ''], {
    stdio: 'ignore',
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(
      `redis-server can't be started (${error.code}). Install it: apt-get install redis-server`,
    );
  });
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url });
  client.on('error', () => undefined); // until it listens
  await Promise.race([client.connect(), failed]);
  const stop = async () => {
    client.destroy();
    process.off('exit', killWithUs);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  const send = (...command: string[]) => client.sendCommand(command);
  return { pid: child.pid!, port, url, send, stop };
}

/** `heapMiB`: of V8; by default what the machine has room for, so that garbage may lie for long. */
export async function startGateway(redis: BenchRedis, heapMiB?: number): Promise<ServerProcess> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const options = ['--redis', redis.url, '--port', String(port), '--data', folder];
  return ServerProcess.start(port, {
    name: 'sluice gateway',
    file: process.execPath,
    args: [join(projectRoot(), 'bin', 'sluice'), 'gateway', ...options],
    env: { SLUICE_CACHE_ENABLED: 'false', SLUICE_LOG_LEVEL: 'warn', ...heapOf(heapMiB) },
    readyPath: '/readyz',
    startTimeoutMs: START_TIMEOUT_MS,
  });
}

export function startStub(
  options: Omit<StubProcessOptions, 'port'>,
  heapMiB?: number,
): Promise<ServerProcess> {
  return startScript('stub-process', options, heapOf(heapMiB));
}

export function startBullmq(
  side: 'gateway' | 'worker',
  options: Omit<BullmqOptions, 'port'>,
): Promise<ServerProcess> {
  return startScript(`bullmq-${side}`, options);
}

function heapOf(mib: number | undefined): Record<string, string> {
  return mib === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${mib}` };
}

async function startScript(
  name: string,
  options: object,
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const port = await freePort();
  return ServerProcess.start(port, {
    name,
    file: process.execPath,
    args: [fileURLToPath(new URL(`./${name}.js`, import.meta.url)), JSON.stringify({ port, ...options })],
    env,
    readyPath: '/readyz',
    startTimeoutMs: START_TIMEOUT_MS,
  });
}
