import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';

/** The program, as it is started by hand. */
export function sluiceEntry(): string {
  return join(projectRoot(), 'bin', 'sluice');
}
