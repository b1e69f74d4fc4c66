import type { EngineConfig } from '../../src/engine/types.js';

/** Settings for tiny models on one CPU thread. */
export function engineConfig(overrides: Partial<EngineConfig> & { modelPath: string }): EngineConfig {
  return {
    backend: 'cpu',
    gpuLayers: 0,
    mainGpu: 0,
    tensorSplit: [],
    mmap: true,
    mlock: false,
    threads: 1,
    contextLength: 0,
    kvTypeK: 'f16',
    kvTypeV: 'f16',
    flashAttention: 'auto',
    attention: 'paged',
    weights: 'auto',
    pageSize: 16,
    kvBytes: 0,
    memoryUtilization: 0.9,
    maxSequences: 8,
    guestSequences: 0,
    maxBatchTokens: 0,
    targetStepMs: 0,
    maxQueue: 64,
    watermark: 0.01,
    prefixCache: true,
    sessionMaxTokens: 1_000,
    speculation: 'auto',
    speculationMaxTokens: 8,
    kvWindowShare: 0.75,
    kvHostBytes: 0,
    kvDiskPath: null,
    kvDiskBytes: 2 ** 30,
    ...overrides,
  };
}
