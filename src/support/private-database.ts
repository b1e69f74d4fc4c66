import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Libsql from 'libsql';
import { makeDirectory } from './make-directory.js';

/** Where there is no file: make one, or work on an empty database in memory and leave nothing behind. */
export type IfMissing = 'create' | 'empty';

/** Opens an SQLite file that only its owner may read, whatever its folder allows. */
export function openPrivateDatabase(path: string, ifMissing: IfMissing = 'create'): Libsql.Database {
  if (ifMissing === 'empty' && isMissing(path)) return new Libsql(':memory:');
  makeDirectory(dirname(path));
  create(path);
  // SQLite gives what it makes beside a file the file's rights; these two may be left from an earlier process.
  for (const suffix of ['', '-wal', '-shm']) closeToOthers(path + suffix);
  return new Libsql(path);
}

/** Throws where that can't be known. */
function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

/** Never opens a file that is there: closing it again would end the locks that this process has on it. */
function create(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function closeToOthers(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || (stats.mode & 0o077) === 0) return;
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    // Another user's file, or gone meanwhile: its rights aren't ours to set.
    if (!['EPERM', 'ENOENT', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
