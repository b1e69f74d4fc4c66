/**
 * Tests of the paged KV in libllama: the plan and the kernels alone, and a model through the built library.
 *
 * Usage: node scripts/test-native-paged.mjs [--only=kernel|model] [--sanitize] [--bench] [model.gguf]
 *   --only      plan and kernels, which need no model, or placement and logits of the model
 *   --sanitize  plan and kernels under AddressSanitizer and UBSan, and under ThreadSanitizer
 *   --bench     builds the benchmarks and prints where they are
 */
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { buildLibllama } from './native/libllama.mjs';
import { compileProgram, runOrExit } from './native/program.mjs';
import { release as findRelease, projectRoot } from './native/release.mjs';

const args = process.argv.slice(2);
const model = args.find((argument) => !argument.startsWith('--'));
const tests = path.join(projectRoot, 'test', 'native', 'paged');
const paged = path.join(projectRoot, 'native', 'paged');
const out = path.join(projectRoot, 'build', 'test-native-paged');

/** Files of native/paged that need neither ggml's graph nor libllama. */
const pure = ['paged-plan.cpp', 'paged-attention.cpp', ...kernels()].map((name) => path.join(paged, name));

function kernels() {
  return readdirSync(paged).filter((name) => /^paged-kernel.*\.cpp$/.test(name));
}

const release = findRelease();
const libllama = await buildLibllama(release, (line) => console.error(`native: ${line}`));
mkdirSync(out, { recursive: true });
const include = ['include', 'ggml/include', 'src'].map((folder) => `-I${path.join(libllama.entry, folder)}`);
const ggmlBase = path.join(release.libraries, 'libggml-base.so');
const ggml = path.join(release.libraries, release.ggmlLibrary);

const alone = (name, suffix, flags) =>
  compileProgram(
    path.join(out, name + suffix),
    [...flags, ...include, `-I${paged}`],
    [path.join(tests, `${name}.cpp`), ...pure],
    [ggmlBase],
  );
const withLibrary = (name) =>
  compileProgram(
    path.join(out, name),
    [
      '-O2',
      ...include,
      `-I${paged}`,
      `-DPAGED_TEST_BACKENDS="${release.libraries}"`,
      `-DPAGED_TEST_SOURCES="${tests}"`,
    ],
    [path.join(tests, `${name}.cpp`)],
    [libllama.library, ggml, ggmlBase],
  );

if (args.includes('--bench')) {
  console.log([alone('bench_kernel', '', ['-O3']), withLibrary('bench_step')].join('\n'));
  process.exit(0);
}
if (args.includes('--sanitize')) {
  runOrExit(
    alone('test_kernel', '-asan', ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']),
    ['20'],
  );
  runOrExit(alone('test_kernel', '-tsan', ['-O1', '-fsanitize=thread']), ['20']);
} else if (!args.includes('--only=model')) {
  runOrExit(alone('test_kernel', '', ['-O3']), []);
}
if (!args.includes('--only=kernel')) {
  if (!model) {
    console.error('The tests of placement and logits need a model: pass a .gguf file, or --only=kernel.');
    process.exit(1);
  }
  for (const name of ['test_placement', 'test_logits']) runOrExit(withLibrary(name), [path.resolve(model)]);
}
