/** libllama: the release's sources with our patches, paged KV and matmul files, against the prebuilt ggml. */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cached, contentHash } from './cache.mjs';
import { checkOut, projectRoot } from './release.mjs';
import { BuildError, compilerVersion, jobs, requireBuildTools, run } from './tools.mjs';
import { shipped } from './variant.mjs';

const cmakeDir = path.join(projectRoot, 'scripts', 'native', 'cmake', 'libllama');
/** Folders of the release whose headers the addon is compiled against. */
const HEADER_FOLDERS = ['include', 'ggml/include', 'src', 'common', 'vendor'];

/** A folder with the library and the headers of the (patched) release beside it. */
export async function buildLibllama(release, report, variant = shipped) {
  const patches = filesIn('native/patches', /\.patch$/);
  const sources = ['native/paged', 'native/matmul'].flatMap((folder) => filesIn(folder, /\.(h|cpp)$/));
  const key = contentHash(
    [release.tag, release.carrierVersion, compilerVersion(), process.arch, ...variant.flags],
    [...filesIn('scripts/native/cmake/libllama', /./), ...patches, ...sources],
  );
  const result = await cached(`${variant.prefix}libllama`, key, async (draft) => {
    requireBuildTools();
    report(`building libllama ${release.tag} from source (about two minutes on two cores, once)`);
    await compile(release, draft, patches, sources, variant);
  });
  return { ...result, key, library: path.join(result.entry, release.llamaLibrary) };
}

async function compile(release, draft, patches, sources, variant) {
  const source = path.join(draft, 'source');
  const build = path.join(draft, 'build');
  const logFile = path.join(draft, 'build.log');
  await checkOut(release, source, logFile);
  for (const patch of patches) await apply(patch, source, logFile);
  for (const file of sources) cpSync(file, path.join(source, 'src', path.basename(file)));

  const options = {
    CMAKE_BUILD_TYPE: 'Release',
    LLAMA_SOURCE: source,
    LLAMA_TAG: release.tag,
    GGML_LIBRARIES: release.libraries,
    ...variant.defines,
  };
  const defines = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  await run('cmake', ['-S', cmakeDir, '-B', build, ...defines], { logFile });
  await run('cmake', ['--build', build, '--parallel', String(jobs)], { logFile });

  renameSync(path.join(build, release.llamaLibrary), path.join(draft, release.llamaLibrary));
  for (const folder of HEADER_FOLDERS) copyHeaders(path.join(source, folder), path.join(draft, folder));
  for (const done of [source, build, logFile]) rmSync(done, { recursive: true });
}

async function apply(patch, source, logFile) {
  try {
    await run('git', ['-C', source, 'apply', '--whitespace=nowarn', patch], { logFile });
  } catch (error) {
    throw new BuildError(
      `${path.relative(projectRoot, patch)} doesn't apply to this release.\n${error.message}`,
    );
  }
}

function copyHeaders(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.(h|hpp)$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const target = path.join(to, path.relative(from, file));
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(file, target);
  }
}

/** Files of one folder in a stable order; none where the folder is missing. */
export function filesIn(folder, pattern) {
  const directory = path.join(projectRoot, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => path.join(directory, name));
}
