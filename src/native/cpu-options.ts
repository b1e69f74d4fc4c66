import type { LoadOptions } from './types.js';

/** A model as its file has it, mapped into memory, for the CPU. */
export const cpuOptions: LoadOptions = {
  gpuLayers: 0,
  mainGpu: 0,
  tensorSplit: [],
  mmap: true,
  mlock: false,
  vocabOnly: false,
  packWeights: false,
};
