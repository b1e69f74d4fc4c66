import { statfs } from 'node:fs/promises';
import { SluiceError } from '../errors.js';

/** Left free beside a download, so that a pull never fills the disk to its last byte. */
const reserveBytes = 64 * 1024 * 1024;

export type FreeBytes = (directory: string) => Promise<number>;

/** Bytes an unprivileged process may still write where `directory` is. */
export const freeBytes: FreeBytes = async (directory) => {
  const stats = await statfs(directory);
  return stats.bavail * stats.bsize;
};

/** Throws insufficient_storage unless `neededBytes` and a reserve fit. */
export async function ensureSpace(directory: string, neededBytes: number, free: FreeBytes): Promise<void> {
  const available = await free(directory);
  if (available >= neededBytes + reserveBytes) return;
  throw new SluiceError(
    'insufficient_storage',
    `Not enough disk space for models: ${formatBytes(neededBytes)} needed, ${formatBytes(available)} free. ` +
      'Free some, or set SLUICE_CACHE to a directory on a larger disk.',
  );
}

/** Decimal units, as disks are sold: `253 MB`, `4.2 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
