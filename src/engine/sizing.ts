import type { KvType, ModelInfo } from '../native/types.js';
import type { EngineConfig } from './types.js';

export interface Machine {
  cores: number; // physical, usable by this process
  memoryAvailableBytes: number; // RAM, before the pool is allocated
  /** Free memory of the GPUs that take the model, before it is loaded; null where it runs on the CPU. */
  gpuFreeBytes: number | null;
}

export interface Sizes {
  threads: number;
  pageSize: number; // tokens
  pages: number;
  maxContext: number; // tokens of one sequence
  maxPagesPerSequence: number;
  maxSequences: number; // guests among them
  guestSequences: number;
  maxBatchTokens: number;
  maxOutputs: number;
}

/** Outputs a step can have beside one a sequence: for prompt log-probabilities. A row of 262,144 floats is 1 MB. */
const extraOutputs = 32;

const sequencesLimit = 1_024; // of the native context

const cpuMemoryShare = 1 / 4; // of available RAM, at most
const cpuTokensPerSequence = 2_048; // and no more than this for each sequence that may run
const gpuReserveBytes = 512 * 2 ** 20; // compute buffers and logits
const cpuBatchTokens = 512;
const gpuBatchTokens = 2_048;

/**
 * The pool's size. GPU: `memoryUtilization` of what is free, less the model and a reserve for compute buffers. CPU: the least of a quarter of the available RAM and 2,048 tokens for each sequence that may run, but always one
 * sequence of full context length if a quarter of the RAM holds it. `kvBytes` overrides both.
 */
export function resolveSizes(config: EngineConfig, model: ModelInfo, machine: Machine): Sizes {
  const { pageSize } = config;
  const wantedContext = config.contextLength === 0 ? model.trainContext : config.contextLength;
  const contextPages = Math.ceil(wantedContext / pageSize);
  const pageBytes = pageSize * bytesPerToken(config, model);
  const affordable = Math.floor(poolBytes(config, model, machine) / pageBytes);
  const usable = Math.ceil((config.maxSequences * Math.min(wantedContext, cpuTokensPerSequence)) / pageSize);
  const byRule = machine.gpuFreeBytes === null && config.kvBytes === 0;
  const pages = Math.max(1, byRule ? Math.min(affordable, Math.max(usable, contextPages)) : affordable);
  const maxContext = Math.min(wantedContext, pages * pageSize);
  const guestSequences = Math.min(config.guestSequences, sequencesLimit - config.maxSequences);
  const maxSequences = config.maxSequences + guestSequences;
  const batch = machine.gpuFreeBytes === null ? cpuBatchTokens : gpuBatchTokens;
  return {
    threads: config.threads === 0 ? machine.cores : config.threads,
    pageSize,
    pages: Math.min(pages, config.maxSequences * contextPages),
    maxContext,
    maxPagesPerSequence: Math.ceil(maxContext / pageSize),
    maxSequences,
    guestSequences,
    maxBatchTokens: Math.max(config.maxBatchTokens === 0 ? batch : config.maxBatchTokens, maxSequences),
    maxOutputs: maxSequences + extraOutputs,
  };
}

function poolBytes(config: EngineConfig, model: ModelInfo, machine: Machine): number {
  if (config.kvBytes > 0) return config.kvBytes;
  if (machine.gpuFreeBytes === null) return machine.memoryAvailableBytes * cpuMemoryShare;
  const offloaded = config.gpuLayers < 0 ? 1 : Math.min(1, config.gpuLayers / Math.max(1, model.layers));
  const left =
    machine.gpuFreeBytes * config.memoryUtilization - model.sizeBytes * offloaded - gpuReserveBytes;
  return Math.max(0, left);
}

function bytesPerToken(config: EngineConfig, model: ModelInfo): number {
  const headSize = model.embeddingSize / Math.max(1, model.heads);
  const keySize = headSizeOf(model, 'key_length') ?? headSize;
  const valueSize = headSizeOf(model, 'value_length') ?? headSize;
  const kvHeads = Math.max(1, model.kvHeads);
  return model.layers * kvHeads * (keySize * bytesOf(config.kvTypeK) + valueSize * bytesOf(config.kvTypeV));
}

/** Models whose heads aren't embedding / heads wide say so in their metadata. */
function headSizeOf(model: ModelInfo, key: 'key_length' | 'value_length'): number | null {
  const value = Number(model.metadata[`${model.architecture}.attention.${key}`]);
  return value > 0 ? value : null;
}

function bytesOf(type: KvType): number {
  switch (type) {
    case 'f32':
      return 4;
    case 'q8_0':
      return 34 / 32; // 32 values and their scale
    default:
      return 2;
  }
}
