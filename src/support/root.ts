import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of Sluice's package.json. Compiled files lie at different depths below it, so it is searched for. */
export function projectRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!isRoot(directory)) {
    const parent = dirname(directory);
    if (parent === directory)
      throw new Error('The package.json of "sluice" was not found above its own files.');
    directory = parent;
  }
  return directory;
}

/** The package has what runs, a checkout also what measures and tests it. */
export function isCheckout(): boolean {
  return existsSync(join(projectRoot(), 'bench'));
}

function isRoot(directory: string): boolean {
  const file = join(directory, 'package.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'sluice';
}
