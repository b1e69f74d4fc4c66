/** build/native, or its like of another variant: the addon with every library it loads beside it, found by $ORIGIN. */
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

const STAMP = 'build.json';

/** Copies what the cache holds (it may be cleared) and links what node_modules holds. True if anything changed. */
export function assemble(release, libllama, addon, { directory }) {
  const stamp = {
    release: release.tag,
    carrier: release.carrierVersion,
    libllama: libllama.key,
    addon: addon.key,
    headers: libllama.entry,
    libraries: release.libraries,
  };
  if (isUpToDate(directory, stamp)) return false;
  const replace = replacer(directory);
  mkdirSync(directory, { recursive: true });
  rmSync(path.join(directory, STAMP), { force: true });
  for (const name of readdirSync(release.libraries)) {
    if (!name.endsWith('.so') || name === release.llamaLibrary) continue;
    const target = path.relative(directory, path.join(release.libraries, name));
    replace(name, (draft) => symlinkSync(target, draft));
  }
  replace(release.llamaLibrary, (draft) => copyFileSync(libllama.library, draft));
  replace(ADDON, (draft) => copyFileSync(addon.file, draft));
  replace(STAMP, (draft) => writeFileSync(draft, `${JSON.stringify(stamp, null, 2)}\n`));
  return true;
}

function isUpToDate(directory, stamp) {
  const file = path.join(directory, STAMP);
  if (!existsSync(file) || !existsSync(path.join(directory, ADDON))) return false;
  return JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))) === JSON.stringify(stamp);
}

/** Renaming leaves a running server with the file that it has mapped. */
function replacer(directory) {
  return (name, write) => {
    const draft = path.join(directory, `.${name}.${process.pid}`);
    rmSync(draft, { force: true });
    write(draft);
    renameSync(draft, path.join(directory, name));
  };
}
