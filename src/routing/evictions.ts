export interface LoadedModel {
  id: string;
  bytes: number;
  lastUsedMs: number;
  idle: boolean; // nothing runs or waits, and it isn't pinned
}

/**
 * The models to unload, least recently used first, so that `neededBytes` more fit within `limitBytes`; null where even
 * unloading all idle ones wouldn't do. A limit of 0 is none.
 */
export function chooseEvictions(
  loaded: readonly LoadedModel[],
  neededBytes: number,
  limitBytes: number,
): LoadedModel[] | null {
  if (limitBytes === 0) return [];
  let excess = loaded.reduce((sum, { bytes }) => sum + bytes, neededBytes) - limitBytes;
  const chosen: LoadedModel[] = [];
  const idle = loaded.filter((model) => model.idle).sort((a, b) => a.lastUsedMs - b.lastUsedMs);
  for (const model of idle) {
    if (excess <= 0) break;
    chosen.push(model);
    excess -= model.bytes;
  }
  return excess <= 0 ? chosen : null;
}
