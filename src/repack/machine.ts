import { cpus } from 'node:os';
import {
  type Backend,
  initBackends,
  loadAddon,
  packsWeights,
  usesGpu,
  type WeightsMode,
} from '../native/index.js';
import { usableCores } from '../support/cpus.js';
import { availableMemoryBytes } from '../support/memory.js';
import type { TimeMatmuls } from './measure.js';
import type { Cpu } from './verdict-cache.js';

/** What the decision looks at beside the model. */
export interface Machine {
  cpu: Cpu;
  usesGpu: boolean;
  /** Whether a model of that many bytes is multiplied by our own kernels, which Q8_0 wouldn't make faster. */
  packsWeights: (modelBytes: number) => boolean;
  memoryAvailableBytes: number;
  timeMatmuls: TimeMatmuls;
}

export interface EngineSettings {
  backend: Backend;
  gpuLayers: number;
  threads: number; // 0: automatic
  weights: WeightsMode;
}

/** Loads the addon and its backends in this thread. Throws where they can't be loaded. */
export function thisMachine({ backend, gpuLayers, threads, weights: mode }: EngineSettings): Machine {
  const info = initBackends(backend);
  const { llamaRelease, cpuVariant } = info;
  const addon = loadAddon();
  const memoryAvailableBytes = availableMemoryBytes();
  return {
    cpu: {
      llamaRelease,
      cpuVariant,
      cpuModel: cpus()[0]?.model ?? '',
      threads: threads === 0 ? usableCores() : threads,
    },
    usesGpu: usesGpu(gpuLayers, info),
    packsWeights: (modelBytes) =>
      packsWeights({ mode, gpuLayers, backend: info, modelBytes, memoryAvailableBytes }),
    memoryAvailableBytes,
    timeMatmuls: (matmuls) => addon.timeMatmuls(matmuls),
  };
}
