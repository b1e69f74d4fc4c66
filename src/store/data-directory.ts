import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The data folder: as configured, or `${XDG_DATA_HOME:-~/.local/share}/sluice`. */
export function dataDirectory(configured: string, env: NodeJS.ProcessEnv): string {
  if (configured !== '') return resolve(configured);
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'sluice');
}
