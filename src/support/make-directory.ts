import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder that only this user may enter, and those above it that are missing. Node's own (20, `recursive`) never
 * returns where a file system refuses with ENOENT, as /proc does.
 */
export function makeDirectory(directory: string): void {
  makeAbsolute(resolve(directory));
}

function makeAbsolute(directory: string): void {
  if (isDirectory(directory)) return;
  makeAbsolute(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!isDirectory(directory)) throw error; // else another process was faster
  }
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
