/** Values that binding.gyp asks for, one by name: where the last native build lies, and the addon's sources. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { addonSources } from './addon.mjs';
import { projectRoot } from './release.mjs';

const stamp = () => JSON.parse(readFileSync(path.join(projectRoot, 'build', 'native', 'build.json'), 'utf8'));

const values = {
  headers: () => stamp().headers,
  libraries: () => path.join(projectRoot, 'build', 'native'),
  tag: () => stamp().release,
  sources: () =>
    addonSources()
      .map((file) => path.relative(projectRoot, file))
      .join('\n'),
};

process.stdout.write(values[process.argv[2]]());
