/**
 * Builds the native layer into build/native: libllama (patched, from the bundled source), the addon, and the
 * compatibility files of uWebSockets.js. npm runs it as `install`. Results are cached in ~/.cache/sluice/native.
 *
 * Usage: node scripts/build-native.mjs [--llama-server | --sanitize=address|thread]
 *   --llama-server  builds the release's unpatched llama-server instead and prints how to run it (benchmarks)
 *   --sanitize      builds libllama and the addon under AddressSanitizer and UBSan, or under ThreadSanitizer, into
 *                   build/native-address or build/native-thread (npm run test:sanitize)
 */
import { buildUws } from './build-uws.mjs';
import { buildAddon } from './native/addon.mjs';
import { assemble } from './native/assemble.mjs';
import { buildLibllama } from './native/libllama.mjs';
import { buildLlamaServer } from './native/llama-server.mjs';
import { release } from './native/release.mjs';
import { BuildError } from './native/tools.mjs';
import { sanitizedVariant, shipped } from './native/variant.mjs';

const report = (line) => console.error(`native: ${line}`);

async function buildVariant(variant) {
  const source = release();
  const libllama = await buildLibllama(source, report, variant);
  const addon = await buildAddon(source, libllama, report, variant);
  return assemble(source, libllama, addon, variant);
}

async function buildNative(variant) {
  const startedMs = Date.now();
  let changed = await buildVariant(variant);
  if (variant === shipped) changed = buildUws(shipped.directory).built || changed;
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  report(changed ? `ready in ${seconds} s` : 'up to date');
}

async function printLlamaServer() {
  const server = await buildLlamaServer(release(), report);
  console.log(JSON.stringify(server));
}

function variantAsked() {
  const option = process.argv.find((argument) => argument.startsWith('--sanitize='));
  return option === undefined ? shipped : sanitizedVariant(option.split('=')[1]);
}

try {
  if (process.platform !== 'linux') throw new BuildError('Sluice builds on Linux only.');
  await (process.argv.includes('--llama-server') ? printLlamaServer() : buildNative(variantAsked()));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exit(1);
}
