/** The addon, built by cmake-js from CMakeLists.txt against a libllama of the cache. */
import { renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cached, contentHash } from './cache.mjs';
import { filesIn } from './libllama.mjs';
import { packageDir, projectRoot } from './release.mjs';
import { compilerVersion, jobs, requireBuildTools, run } from './tools.mjs';
import { shipped } from './variant.mjs';

const require = createRequire(import.meta.url);
export const ADDON = 'sluice.node';

const filesOfAddon = (pattern) => [...filesIn('native', pattern), ...filesIn('native/sampler', pattern)];

export const addonSources = () => filesOfAddon(/\.cpp$/);

/** N-API keeps the addon loadable by every Node from 20 on, so Node's version is no part of the key. */
export async function buildAddon(release, libllama, report, variant = shipped) {
  const key = contentHash(
    [libllama.key, compilerVersion(), require('node-addon-api').version, ...variant.flags],
    [path.join(projectRoot, 'CMakeLists.txt'), ...filesOfAddon(/\.(h|cpp)$/)],
  );
  const result = await cached(`${variant.prefix}addon`, key, async (draft) => {
    requireBuildTools();
    report('building the addon');
    const build = path.join(draft, 'build');
    const logFile = path.join(draft, 'build.log');
    const defines = {
      SLUICE_LIBLLAMA: libllama.entry,
      SLUICE_GGML: release.libraries,
      SLUICE_TAG: release.tag,
      ...variant.defines,
    };
    await run(
      process.execPath,
      [
        path.join(packageDir('cmake-js'), 'bin', 'cmake-js'),
        'compile',
        ...['--directory', projectRoot, '--out', build, '--parallel', String(jobs)],
        ...Object.entries(defines).map(([name, value]) => `--CD${name}=${value}`),
      ],
      { logFile, cwd: projectRoot },
    );
    renameSync(path.join(build, 'Release', ADDON), path.join(draft, ADDON));
    for (const done of [build, logFile]) rmSync(done, { recursive: true });
  });
  return { ...result, key, file: path.join(result.entry, ADDON) };
}
