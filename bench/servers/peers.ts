import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/support/cache.js';
import { projectRoot } from '../../src/support/root.js';
import { sluiceEntry } from './entry.js';
import { type LlamaServerSettings, llamaServerArgs } from './llama-server.js';
import { freePort, type ServerCommand, ServerProcess } from './server.js';

export const peerNames = ['sluice', 'llama-server', 'node-llama-cpp'] as const;
export type PeerName = (typeof peerNames)[number];

/** What a server must hold at once. */
export interface Capacity {
  sequences: number;
  tokensPerSequence: number; // prompt and answer
  kvBytes?: number; // of Sluice's pool, where not by its own rule
  kvHostBytes?: number; // for pages evicted from it
  pageSize?: number; // tokens, of Sluice's pool
  maxSequences?: number; // of Sluice, where not its default
  prefixCache?: boolean; // of Sluice
}

export interface PeerSetup {
  modelPath: string;
  threads: number;
  dataFolder?: string; // of Sluice, where it has keys
  llamaServer: { path: string; env: Record<string, string> } | null; // null unless it is measured
}

const START_TIMEOUT_MS = 120_000;
const BUILD_TIMEOUT_MS = 3_600_000;
const execute = promisify(execFile);

/** Starts a peer on a free loopback port. Only llama-server is tuned to the load; Sluice runs on its defaults. */
export async function startPeer(
  peer: PeerName,
  setup: PeerSetup,
  capacity: Capacity,
  settings: LlamaServerSettings,
): Promise<ServerProcess> {
  const port = await freePort();
  return ServerProcess.start(port, commandFor(peer, setup, capacity, settings, port));
}

function commandFor(
  peer: PeerName,
  setup: PeerSetup,
  capacity: Capacity,
  settings: LlamaServerSettings,
  port: number,
): ServerCommand {
  const common = { name: peer, startTimeoutMs: START_TIMEOUT_MS };
  const { modelPath, threads } = setup;
  switch (peer) {
    case 'sluice': {
      const args = [sluiceEntry(), 'serve', '--port', String(port), '--model', modelPath];
      const env = {
        SLUICE_ENGINE_THREADS: String(threads),
        SLUICE_LOG_LEVEL: 'warn',
        SLUICE_CACHE_ENABLED: 'false', // what is measured has to be computed
        // The user's own may hold keys.
        SLUICE_DATA_DIR: setup.dataFolder ?? join(cacheDirectory(process.env), 'bench-data'),
        ...engineSetting('KV_BYTES', capacity.kvBytes),
        ...engineSetting('KV_HOST_BYTES', capacity.kvHostBytes),
        ...engineSetting('PAGE_SIZE', capacity.pageSize),
        ...engineSetting('MAX_SEQUENCES', capacity.maxSequences),
        ...engineSetting('PREFIX_CACHE', capacity.prefixCache),
      };
      return { ...common, file: process.execPath, args, env, readyPath: '/readyz' };
    }
    case 'llama-server': {
      const { path, env } = setup.llamaServer!;
      const { sequences, tokensPerSequence } = capacity;
      const args = llamaServerArgs({ modelPath, port, threads, sequences, tokensPerSequence }, settings);
      return { ...common, file: path, args, env, readyPath: '/health' };
    }
    case 'node-llama-cpp': {
      const script = join(projectRoot(), 'bench', 'peers', 'node-llama-cpp-server.mjs');
      const { sequences, tokensPerSequence } = capacity;
      const args = [script, modelPath, ...[port, threads, sequences, tokensPerSequence].map(String)];
      return { ...common, file: process.execPath, args, env: {}, readyPath: '/health' };
    }
  }
}

function engineSetting(name: string, value: number | boolean | undefined): Record<string, string> {
  return value === undefined ? {} : { [`SLUICE_ENGINE_${name}`]: String(value) };
}

/** llama-server of the bundled release: `path`, or built once and cached (minutes). */
export async function prepareLlamaServer(
  path: string | null,
): Promise<NonNullable<PeerSetup['llamaServer']>> {
  if (path !== null) return { path, env: { LD_LIBRARY_PATH: dirname(path) } };
  const script = join(projectRoot(), 'scripts', 'build-native.mjs');
  const { stdout } = await execute(process.execPath, [script, '--llama-server'], {
    timeout: BUILD_TIMEOUT_MS,
  });
  return JSON.parse(stdout) as NonNullable<PeerSetup['llamaServer']>;
}

/** As each states it. */
export async function peerVersion(peer: PeerName, setup: PeerSetup): Promise<string> {
  if (peer === 'llama-server') {
    const { path, env } = setup.llamaServer!;
    const { stderr, stdout } = await execute(path, ['--version'], { env: { ...process.env, ...env } });
    return /version: (.*)/.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
  }
  const folder = peer === 'sluice' ? projectRoot() : join(projectRoot(), 'node_modules', 'node-llama-cpp');
  return (JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}
