import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/support/cache.js';
import { installPython, pythonHome } from '../python.js';
import { sluiceEntry } from './entry.js';
import { createKey } from './keys.js';
import { freePort, type ServerCommand, ServerProcess } from './server.js';

/**
 * `sluice` has all stages on: a key with limits and a budget, and a ledger. `sluice-open` has no keys, as the others run. `haproxy`,
 * which has to be installed, passes bytes on and looks at nothing but HTTP: what any process in between adds on this machine.
 */
export const gatewayNames = ['direct', 'sluice', 'sluice-open', 'litellm', 'portkey', 'haproxy'] as const;
export type GatewayName = (typeof gatewayNames)[number];

const LITELLM_VERSION = '1.100.0';
const LITELLM = `litellm-${LITELLM_VERSION}`;
const PORTKEY_VERSION = '1.15.2';
const START_TIMEOUT_MS = 180_000;
const INSTALL_TIMEOUT_MS = 1_800_000;
/** Limits that are looked at. */
const NEVER_REACHED = ['--rpm', '100000000', '--tpm', '100000000000', '--budget', '1000000'];

const execute = promisify(execFile);

/** A gateway that is running, and how to ask it for the stub's model. */
export interface RunningGateway {
  process: ServerProcess | null; // null: the stub itself
  url: URL; // of chat completions
  headers: Record<string, string>;
  version: string | null;
}

export async function startStub(): Promise<ServerProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL('./stub-upstream.js', import.meta.url));
  return ServerProcess.start(port, {
    name: 'stub upstream',
    file: process.execPath,
    args: [script, String(port)],
    env: {},
    readyPath: '/v1/models',
    startTimeoutMs: START_TIMEOUT_MS,
  });
}

/** Installs what is missing into the cache folder: LiteLLM from PyPI, Portkey from npm. */
export async function prepareGateways(
  names: readonly GatewayName[],
  progress: (line: string) => void,
): Promise<void> {
  if (names.includes('litellm'))
    await installPython(LITELLM, [`litellm[proxy]==${LITELLM_VERSION}`], progress);
  if (names.includes('portkey') && !existsSync(portkeyEntry())) {
    progress(`installing Portkey gateway ${PORTKEY_VERSION}`);
    await mkdir(portkeyHome(), { recursive: true });
    const options = ['--no-audit', '--no-fund', '--prefix', portkeyHome()];
    await run('npm', ['install', ...options, `@portkey-ai/gateway@${PORTKEY_VERSION}`]);
  }
}

/** In front of the stub at `stubUrl`, each with the settings that its documentation gives for one upstream. */
export async function startGateway(name: GatewayName, stubUrl: string): Promise<RunningGateway> {
  const path = '/v1/chat/completions';
  if (name === 'direct') return { process: null, url: new URL(path, stubUrl), headers: {}, version: null };
  const port = await freePort();
  const { command, headers, version } = await setUp(name, port, `${stubUrl}/v1`);
  const server = await ServerProcess.start(port, { name, startTimeoutMs: START_TIMEOUT_MS, ...command });
  return { process: server, url: new URL(path, server.url), headers, version };
}

interface Setup {
  command: Omit<ServerCommand, 'name' | 'startTimeoutMs'>;
  headers: Record<string, string>;
  version: string | null;
}

async function setUp(name: Exclude<GatewayName, 'direct'>, port: number, upstream: string): Promise<Setup> {
  switch (name) {
    case 'sluice':
    case 'sluice-open': {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
      const serve = ['serve', '--port', String(port), '--model', 'none', '--data', folder];
      const models = JSON.stringify([{ id: 'stub', upstream: { url: upstream } }]);
      const env = { SLUICE_ROUTING_MODELS: models, SLUICE_LOG_LEVEL: 'warn' };
      const command = { file: process.execPath, args: [sluiceEntry(), ...serve], env, readyPath: '/readyz' };
      const headers: Setup['headers'] =
        name === 'sluice'
          ? { authorization: `Bearer ${await createKey(folder, '--name', 'bench', ...NEVER_REACHED)}` }
          : {};
      return { command, headers, version: null };
    }
    case 'litellm': {
      const args = ['--config', await litellmConfig(upstream), '--host', '127.0.0.1', '--port', String(port)];
      const file = join(pythonHome(LITELLM), 'bin', 'litellm');
      const command = { file, args, env: {}, readyPath: '/health/liveliness' };
      return { command, headers: {}, version: LITELLM_VERSION };
    }
    case 'portkey': {
      const args = [portkeyEntry(), `--port=${port}`, '--headless'];
      const command = { file: process.execPath, args, env: {}, readyPath: '/' };
      const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': upstream };
      return { command, headers, version: PORTKEY_VERSION };
    }
    case 'haproxy': {
      const args = ['-db', '-f', await haproxyConfig(port, upstream)];
      const command = { file: 'haproxy', args, env: {}, readyPath: '/v1/models' };
      return { command, headers: {}, version: null };
    }
  }
}

async function haproxyConfig(port: number, upstream: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-bench-')), 'haproxy.cfg');
  const lines = [
    'defaults',
    ' mode http',
    ' timeout connect 5s',
    ' timeout client 60s',
    ' timeout server 60s',
    'listen stub',
    ` bind 127.0.0.1:${port}`,
    ' http-reuse always',
    ` server stub ${new URL(upstream).host}`,
    '',
  ];
  await writeFile(file, lines.join('\n'));
  return file;
}

async function litellmConfig(upstream: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-bench-')), 'litellm.yaml');
  const parameters = { model: 'openai/stub', api_base: upstream, api_key: 'none' };
  await writeFile(file, JSON.stringify({ model_list: [{ model_name: 'stub', litellm_params: parameters }] }));
  return file;
}

function portkeyHome(): string {
  return join(cacheDirectory(process.env), 'bench', `portkey-${PORTKEY_VERSION}`);
}

function portkeyEntry(): string {
  return join(portkeyHome(), 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
}

async function run(file: string, args: string[]): Promise<void> {
  await execute(file, args, { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 });
}
