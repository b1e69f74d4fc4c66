import type { BackendInfo } from './types.js';

/** 'packed': stored again for our own CPU kernels; 'stock': as llama.cpp stores them; 'auto': what should be faster. */
export type WeightsMode = 'auto' | 'packed' | 'stock';

/** Share of the available memory that packed weights may take: the KV pool takes a quarter. */
const memoryShare = 1 / 2;

export function usesGpu(gpuLayers: number, { devices }: Pick<BackendInfo, 'devices'>): boolean {
  return gpuLayers !== 0 && devices.some(({ kind }) => kind === 'gpu');
}

export interface WeightsQuestion {
  mode: WeightsMode;
  gpuLayers: number;
  backend: Pick<BackendInfo, 'devices' | 'weightKernel'>;
  modelBytes: number;
  memoryAvailableBytes: number;
}

/** Whether a model's weights are to be packed. The copy is about as large as the file. */
export function packsWeights(question: WeightsQuestion): boolean {
  const { mode, gpuLayers, backend, modelBytes, memoryAvailableBytes } = question;
  if (mode === 'stock' || backend.weightKernel === '' || usesGpu(gpuLayers, backend)) return false;
  if (mode === 'packed') return true;
  return modelBytes <= memoryAvailableBytes * memoryShare;
}
