import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/root.js';
import { gpuLibraries } from './gpu.js';
import type { BackendInfo, NativeAddon } from './types.js';

export { packsWeights, usesGpu, type WeightsMode } from './weights.js';
export type Backend = Parameters<NativeAddon['init']>[0]['backend'];

/** Where scripts/build-native.mjs puts the addon and the libraries that it loads; SLUICE_NATIVE names another build. */
export function nativeDirectory(): string {
  return process.env.SLUICE_NATIVE ?? join(projectRoot(), 'build', 'native');
}

let addon: NativeAddon | undefined;

/** The addon, loaded once in each thread. */
export function loadAddon(): NativeAddon {
  addon ??= openAddon(join(nativeDirectory(), 'sluice.node'));
  return addon;
}

function openAddon(file: string): NativeAddon {
  if (!existsSync(file)) throw new Error('The native addon is not built. Run: npm run build');
  const module = { exports: {} };
  // require() would resolve links first, and $ORIGIN must stay this folder: the other libraries lie there.
  process.dlopen(module, file);
  return module.exports as NativeAddon;
}

/**
 * Loads the ggml backends. 'auto' takes CUDA where its libraries are installed and its driver works, otherwise the
 * CPU. Process-wide: the first call decides, later ones, from any thread, return its result.
 */
export function initBackends(backend: Backend): BackendInfo {
  return loadAddon().init({ backend, directory: backendDirectory(backend) });
}

function backendDirectory(backend: Backend): string {
  if (backend === 'cpu') return nativeDirectory();
  const kind = backend === 'auto' ? 'cuda' : backend;
  const directory = gpuLibraries(kind);
  if (directory !== undefined) return directory;
  if (backend === 'auto') return nativeDirectory();
  throw new Error(`The ${kind} backend is not installed. Run: sluice gpu install ${kind}`);
}
