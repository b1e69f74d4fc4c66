import { cpus, freemem } from 'node:os';
import { type Backend, initBackends, loadAddon } from '../native/index.js';
import { usableCores } from '../support/cpus.js';
import type { TimeMatmuls } from './measure.js';
import type { Cpu } from './verdict-cache.js';

/** What the decision looks at beside the model. */
export interface Machine {
  cpu: Cpu;
  usesGpu: boolean;
  memoryAvailableBytes: number;
  timeMatmuls: TimeMatmuls;
}

export interface EngineSettings {
  backend: Backend;
  gpuLayers: number;
  threads: number; // 0: automatic
}

/** Loads the addon and its backends in this thread. Throws where they can't be loaded. */
export function thisMachine({ backend, gpuLayers, threads }: EngineSettings): Machine {
  const { llamaRelease, cpuVariant, devices } = initBackends(backend);
  const addon = loadAddon();
  return {
    cpu: {
      llamaRelease,
      cpuVariant,
      cpuModel: cpus()[0]?.model ?? '',
      threads: threads === 0 ? usableCores() : threads,
    },
    usesGpu: gpuLayers !== 0 && devices.some(({ kind }) => kind === 'gpu'),
    memoryAvailableBytes: Math.min(freemem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    timeMatmuls: (matmuls) => addon.timeMatmuls(matmuls),
  };
}
