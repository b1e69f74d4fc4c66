/** The llama.cpp release that the pinned node-llama-cpp carries: its tag, sources and prebuilt libraries. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError, run } from './tools.mjs';

const require = createRequire(import.meta.url);

export const projectRoot = path.resolve(fileURLToPath(import.meta.url), '../../..');

export function packageDir(name) {
  // Packages that hide package.json behind "exports" are found by folder.
  for (const base of require.resolve.paths(name)) {
    const dir = path.join(base, name);
    if (existsSync(path.join(dir, 'package.json'))) return dir;
  }
  throw new BuildError(`The package ${name} is missing. Run npm ci.`);
}

export function release() {
  const carrier = packageDir('node-llama-cpp');
  const platform = `linux-${process.arch}`;
  const libraries = path.join(packageDir(`@node-llama-cpp/${platform}`), 'bins', platform);
  const { tag } = readJson(path.join(carrier, 'llama', 'llama.cpp.info.json'));
  return {
    tag,
    carrierVersion: readJson(path.join(carrier, 'package.json')).version,
    bundle: path.join(carrier, 'llama', 'gitRelease.bundle'),
    libraries,
    llamaLibrary: `libllama.${tag}.so`,
    ggmlLibrary: `libggml.${tag}.so`,
  };
}

/** Checks the bundle's one commit out into `target`. */
export async function checkOut({ bundle }, target, logFile) {
  await run('git', ['clone', '--quiet', bundle, target], { logFile });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
