import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../support/cache.js';

/** GPU backends that npm can install on demand: they weigh hundreds of megabytes, so nobody gets them unasked. */
export type GpuKind = 'cuda' | 'vulkan';

const require = createRequire(import.meta.url);

/** The folder of a GPU backend's libraries (and its own CPU backends), where it has been installed. */
export function gpuLibraries(kind: GpuKind): string | undefined {
  const directory = join(packageDirectory(kind), 'bins', `linux-${process.arch}-${kind}`);
  return existsSync(join(directory, `libggml-${kind}.so`)) ? directory : undefined;
}

/**
 * Installs a GPU backend of the very release that the addon is built for, from the npm registry into Sluice's
 * cache. `onOutput` gets npm's lines.
 */
export async function installGpu(kind: GpuKind, onOutput: (line: string) => void): Promise<void> {
  const prefix = prefixDirectory();
  mkdirSync(prefix, { recursive: true });
  // Another install of the same prefix removes what it isn't told to keep.
  const kinds = (['cuda', 'vulkan'] as const).filter((other) => other === kind || gpuLibraries(other));
  const specs = kinds.map((other) => `${packageName(other)}@${releaseVersion()}`);
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
  await run('npm', ['install', '--prefix', prefix, ...flags, ...specs], onOutput);
  if (gpuLibraries(kind) === undefined) throw new Error(`npm installed no ${kind} libraries.`);
}

function run(program: string, args: string[], onOutput: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n')) if (line.trim() !== '') onOutput(line);
      });
    }
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args[0]} failed (${code}).`)),
    );
  });
}

function prefixDirectory(): string {
  return join(cacheDirectory(process.env), 'native', `gpu-${releaseVersion()}`);
}

function packageDirectory(kind: GpuKind): string {
  return join(prefixDirectory(), 'node_modules', packageName(kind));
}

function packageName(kind: GpuKind): string {
  return `@node-llama-cpp/linux-${process.arch}-${kind}`;
}

/** The pinned node-llama-cpp's version: its GPU packages hold the same llama.cpp release as its CPU package. */
function releaseVersion(): string {
  const entry = require.resolve('node-llama-cpp');
  const manifest = join(dirname(dirname(entry)), 'package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
