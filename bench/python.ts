import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../src/support/cache.js';

const INSTALL_TIMEOUT_MS = 1_800_000;
const execute = promisify(execFile);

export function pythonHome(name: string): string {
  return join(cacheDirectory(process.env), 'bench', name);
}

/** A virtual environment in the cache folder, with packages from PyPI, made where it is missing. Resolves with the folder of its programs. */
export async function installPython(
  name: string,
  packages: readonly string[],
  progress: (line: string) => void = () => {},
): Promise<string> {
  const home = pythonHome(name);
  const programs = join(home, 'bin');
  if (existsSync(programs)) return programs;
  progress(`installing ${packages.join(', ')}`);
  const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 };
  try {
    await execute('python3', ['-m', 'venv', home], options);
    await execute(join(programs, 'pip'), ['install', '-q', ...packages], options);
  } catch (error) {
    rmSync(home, { recursive: true, force: true }); // half of it would be taken for all
    throw error;
  }
  return programs;
}
