/** llama-server of the unpatched release on the prebuilt libraries: the peer that benchmarks measure against. */
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cached, contentHash } from './cache.mjs';
import { checkOut, projectRoot } from './release.mjs';
import { compilerVersion, jobs, requireBuildTools, run } from './tools.mjs';

const cmakeDir = path.join(projectRoot, 'scripts', 'native', 'cmake', 'llama-server');

/** Path of the program and the environment it runs with. */
export async function buildLlamaServer(release, report) {
  const key = contentHash(
    [release.tag, release.carrierVersion, compilerVersion(), process.arch],
    [path.join(cmakeDir, 'CMakeLists.txt')],
  );
  const { entry } = await cached('llama-server', key, async (draft) => {
    requireBuildTools();
    report(`building llama-server ${release.tag} (a few minutes on two cores, once)`);
    await compile(release, draft);
  });
  return { path: path.join(entry, 'llama-server'), env: { LD_LIBRARY_PATH: entry } };
}

async function compile(release, draft) {
  const source = path.join(draft, 'source');
  const build = path.join(draft, 'build');
  const logFile = path.join(draft, 'build.log');
  await checkOut(release, source, logFile);
  const options = {
    CMAKE_BUILD_TYPE: 'Release',
    LLAMA_SOURCE: source,
    LLAMA_TAG: release.tag,
    LLAMA_LIBRARIES: release.libraries,
  };
  const defines = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  await run('cmake', ['-S', cmakeDir, '-B', build, ...defines], { logFile });
  await run('cmake', ['--build', build, '--parallel', String(jobs), '--target', 'llama-server'], { logFile });

  renameSync(path.join(build, 'bin', 'llama-server'), path.join(draft, 'llama-server'));
  for (const name of readdirSync(release.libraries)) {
    if (name.endsWith('.so')) cpSync(path.join(release.libraries, name), path.join(draft, name));
  }
  for (const done of [source, build, logFile]) rmSync(done, { recursive: true });
}
