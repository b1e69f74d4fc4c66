import type { Config } from '../config/index.js';
import { dataDirectory } from '../store/index.js';
import { DiskLevel } from './disk/disk-level.js';
import type { LowerLevel } from './types.js';

/** The levels below memory that the configuration asks for; without those that can't be had, since nobody needs a cache. */
export async function openCacheLevels(
  config: Config,
  onFault: (error: unknown) => void,
): Promise<LowerLevel[]> {
  const { enabled, diskEntries: maxEntries, diskBytes: maxBytes } = config.cache;
  if (!enabled || maxEntries === 0) return [];
  const directory = dataDirectory(config.data.dir, process.env);
  try {
    return [await DiskLevel.open({ directory, bounds: { maxEntries, maxBytes }, nowMs: Date.now, onFault })];
  } catch (error) {
    onFault(error);
    return [];
  }
}
