/**
 * Builds the native layer into build/native: libllama (patched, from the bundled source), the addon, and the
 * compatibility files of uWebSockets.js. npm runs it as `install`. Results are cached in ~/.cache/sluice/native.
 *
 * Usage: node scripts/build-native.mjs [--llama-server]
 *   --llama-server  builds the release's unpatched llama-server instead and prints how to run it (benchmarks)
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildUws } from './build-uws.mjs';
import { buildAddon } from './native/addon.mjs';
import { assemble } from './native/assemble.mjs';
import { buildLibllama } from './native/libllama.mjs';
import { buildLlamaServer } from './native/llama-server.mjs';
import { projectRoot, release } from './native/release.mjs';
import { BuildError } from './native/tools.mjs';

const report = (line) => console.error(`native: ${line}`);

async function buildNative() {
  const startedMs = Date.now();
  const source = release();
  const libllama = await buildLibllama(source, report);
  const addon = await buildAddon(source, libllama, report);
  const changed = assemble(source, libllama, addon);
  const out = path.join(projectRoot, 'build', 'native');
  mkdirSync(out, { recursive: true });
  const uws = buildUws(out);
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  report(changed || uws.built ? `ready in ${seconds} s` : 'up to date');
}

async function printLlamaServer() {
  const server = await buildLlamaServer(release(), report);
  console.log(JSON.stringify(server));
}

try {
  if (process.platform !== 'linux') throw new BuildError('Sluice builds on Linux only.');
  await (process.argv.includes('--llama-server') ? printLlamaServer() : buildNative());
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exit(1);
}
