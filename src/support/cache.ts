import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `${SLUICE_CACHE:-~/.cache/sluice}`: native builds, GPU libraries, models. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return resolve(env.SLUICE_CACHE || join(homedir(), '.cache', 'sluice'));
}
