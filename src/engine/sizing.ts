import type { KvCell, KvType, ModelInfo } from '../native/types.js';
import { type AttentionWindow, windowPagesNeeded } from './attention-window.js';
import type { EngineConfig } from './types.js';
import type { WindowConfig } from './window-pages.js';

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
  window: WindowConfig | null;
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
  const guestSequences = Math.min(config.guestSequences, sequencesLimit - config.maxSequences);
  const maxSequences = config.maxSequences + guestSequences;
  const batch = machine.gpuFreeBytes === null ? cpuBatchTokens : gpuBatchTokens;
  const maxBatchTokens = Math.max(config.maxBatchTokens === 0 ? batch : config.maxBatchTokens, maxSequences);
  // llama.cpp places the cells of models with a recurrent state itself, in all layers alike.
  const window = model.recurrent || model.hybrid ? null : model.window;
  const reserved = window && windowPagesNeeded(window, pageSize, maxSequences, maxBatchTokens);
  const affordable = affordablePages(poolBytes(config, model, machine), reserved, config.kvWindowShare, {
    bytes: pageSize * cellBytes(config, model.kvCell),
    windowBytes: pageSize * (model.window === null ? 0 : cellBytes(config, model.window.kvCell)),
  });
  const usable = Math.ceil((config.maxSequences * Math.min(wantedContext, cpuTokensPerSequence)) / pageSize);
  const byRule = machine.gpuFreeBytes === null && config.kvBytes === 0;
  const wanted = Math.max(1, byRule ? Math.min(affordable, Math.max(usable, contextPages)) : affordable);
  const maxContext = Math.min(wantedContext, wanted * pageSize);
  const pages = Math.min(wanted, config.maxSequences * contextPages);
  return {
    threads: config.threads === 0 ? machine.cores : config.threads,
    pageSize,
    pages,
    window: window && windowConfig(window, pages, reserved!, config.kvWindowShare),
    maxContext,
    maxPagesPerSequence: Math.ceil(maxContext / pageSize),
    maxSequences,
    guestSequences,
    maxBatchTokens,
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

/** Null where window pages would be no fewer than the others. */
function windowConfig(
  window: AttentionWindow,
  total: number,
  reserved: number,
  share: number,
): WindowConfig | null {
  const pages = Math.max(reserved, Math.ceil(total * share));
  return pages < total ? { kind: window.kind, size: window.size, pages, reserved } : null;
}

/** The most pages that fit, with their window pages as above. */
function affordablePages(
  total: number,
  reserved: number | null,
  share: number,
  { bytes, windowBytes }: { bytes: number; windowBytes: number },
): number {
  const whole = bytes + windowBytes;
  if (reserved === null || total <= reserved * whole) return Math.floor(total / whole);
  const withReserve = (total - reserved * windowBytes) / bytes;
  return Math.floor(Math.min(withReserve, total / (bytes + share * windowBytes)));
}

function cellBytes({ kvTypeK, kvTypeV }: EngineConfig, { keys, values }: KvCell): number {
  return keys * bytesOf(kvTypeK) + values * bytesOf(kvTypeV);
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
