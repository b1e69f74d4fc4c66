import { execFileSync } from 'node:child_process';
import { projectRoot } from '../../src/support/root.js';

/** The checkout's commit, with "-dirty" where tracked files differ from it; "unknown" outside a checkout. */
export function currentCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], {
      cwd: projectRoot(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
