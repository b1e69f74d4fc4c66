import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sluiceEntry } from './entry.js';

const execute = promisify(execFile);

/** A key of a data folder, made by the command that its operator would use. */
export async function createKey(folder: string, ...options: string[]): Promise<string> {
  const args = ['keys', 'create', '--data', folder, '--json', ...options];
  const { stdout } = await execute(process.execPath, [sluiceEntry(), ...args]);
  return (JSON.parse(stdout) as { key: string }).key;
}
