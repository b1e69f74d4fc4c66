import { basename, join } from 'node:path';
import { modelFiles } from '../../models/split.js';
import type { BackendInfo, ModelInfo } from '../../native/types.js';
import { packageVersion } from '../../support/version.js';
import type { EngineConfig } from '../types.js';
import { DiskLink } from './disk-link.js';
import { PageStore, type PageStoreOptions } from './page-store.js';
import { modelRevision } from './revision.js';

export interface StoreSetting extends Pick<PageStoreOptions, 'context' | 'nowMs' | 'onFault'> {
  config: EngineConfig;
  model: ModelInfo;
  backend: BackendInfo;
}

/** The page store that the configuration asks for; null where it asks for none, or not for the room of one page. */
export function createPageStore(setting: StoreSetting): PageStore | null {
  const { config, context, nowMs, onFault } = setting;
  const { kvHostBytes, kvDiskPath, kvDiskBytes, pageSize, modelPath } = config;
  if (kvHostBytes < context.info.bytesPerPage) return null;
  const disk =
    kvDiskPath === null ? null : new DiskLink(join(kvDiskPath, basename(modelPath)), kvDiskBytes, onFault);
  return new PageStore({
    context,
    pageSize,
    hostBytes: kvHostBytes,
    salt: disk === null ? '' : saltOf(setting),
    disk,
    nowMs,
    onFault,
  });
}

/** All that decides what a page of the same tokens holds, down to how its sums are rounded. */
function saltOf({ config, context, model, backend }: StoreSetting): string {
  const { kvTypeK, kvTypeV, flashAttention, pageSize, gpuLayers } = config;
  const { attention, attentionReason, bytesPerPage } = context.info;
  return JSON.stringify([
    modelRevision(modelFiles(config.modelPath)),
    [kvTypeK, kvTypeV, pageSize, bytesPerPage],
    [attention, attentionReason, flashAttention, gpuLayers, model.packedWeights.kernel],
    [packageVersion(), backend.llamaRelease, backend.cpuVariant],
  ]);
}
