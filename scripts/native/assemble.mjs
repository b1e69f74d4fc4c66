/** build/native: the addon with every library it loads beside it, found by $ORIGIN. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ADDON } from './addon.mjs';
import { projectRoot } from './release.mjs';

const OUT = path.join(projectRoot, 'build', 'native');
const STAMP = path.join(OUT, 'build.json');

/** Copies what the cache holds (it may be cleared) and links what node_modules holds. True if anything changed. */
export function assemble(release, libllama, addon) {
  const stamp = {
    release: release.tag,
    carrier: release.carrierVersion,
    libllama: libllama.key,
    addon: addon.key,
    headers: libllama.entry,
    libraries: release.libraries,
  };
  if (isUpToDate(stamp)) return false;
  mkdirSync(OUT, { recursive: true });
  rmSync(STAMP, { force: true });
  for (const name of readdirSync(release.libraries)) {
    if (name.endsWith('.so') && name !== release.llamaLibrary) link(path.join(release.libraries, name), name);
  }
  replace(release.llamaLibrary, (draft) => copyFileSync(libllama.library, draft));
  replace(ADDON, (draft) => copyFileSync(addon.file, draft));
  replace('build.json', (draft) => writeFileSync(draft, `${JSON.stringify(stamp, null, 2)}\n`));
  return true;
}

function isUpToDate(stamp) {
  if (!existsSync(STAMP) || !existsSync(path.join(OUT, ADDON))) return false;
  return JSON.stringify(JSON.parse(readFileSync(STAMP, 'utf8'))) === JSON.stringify(stamp);
}

function link(target, name) {
  replace(name, (draft) => symlinkSync(path.relative(OUT, target), draft));
}

/** Renaming leaves a running server with the file that it has mapped. */
function replace(name, write) {
  const draft = path.join(OUT, `.${name}.${process.pid}`);
  rmSync(draft, { force: true });
  write(draft);
  renameSync(draft, path.join(OUT, name));
}
