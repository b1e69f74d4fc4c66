/**
 * Tests of the paged KV in libllama: the plan and the kernels alone, and a model through the built library.
 *
 * Usage: node scripts/test-native-paged.mjs [--only=kernel|model] [--sanitize] [--bench] [model.gguf]
 *   --only      plan and kernels, which need no model, or placement and logits of the model
 *   --sanitize  plan and kernels under AddressSanitizer and UBSan, and under ThreadSanitizer
 *   --bench     builds the benchmarks and prints where they are
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { buildLibllama } from './native/libllama.mjs';
import { release as findRelease, projectRoot } from './native/release.mjs';

const args = process.argv.slice(2);
const model = args.find((argument) => !argument.startsWith('--'));
const tests = path.join(projectRoot, 'test', 'native', 'paged');
const paged = path.join(projectRoot, 'native', 'paged');
const out = path.join(projectRoot, 'build', 'test-native-paged');
const compiler = process.env.CXX ?? 'c++';

/** Files of native/paged that need neither ggml's graph nor libllama. */
const pure = ['paged-plan.cpp', 'paged-attention.cpp', ...kernels()].map((name) => path.join(paged, name));

function kernels() {
  return readdirSync(paged).filter((name) => /^paged-kernel.*\.cpp$/.test(name));
}

function run(command, commandArgs) {
  const { status, signal, error } = spawnSync(command, commandArgs, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    console.error(`${path.basename(command)} failed (${signal ?? status})`);
    process.exit(1);
  }
}

function compile(name, suffix, flags, sources, libraries) {
  const program = path.join(out, name + suffix);
  const rpaths = libraries.map((library) => `-Wl,-rpath,${path.dirname(library)}`);
  const all = ['-std=c++17', '-g', '-Wall', '-Wextra', '-pthread', ...flags, ...sources, '-o', program];
  run(compiler, [...all, ...libraries, ...rpaths]);
  return program;
}

const release = findRelease();
const libllama = await buildLibllama(release, (line) => console.error(`native: ${line}`));
mkdirSync(out, { recursive: true });
const include = ['include', 'ggml/include', 'src'].map((folder) => `-I${path.join(libllama.entry, folder)}`);
const ggmlBase = path.join(release.libraries, 'libggml-base.so');
const ggml = path.join(release.libraries, release.ggmlLibrary);

const alone = (name, suffix, flags) =>
  compile(
    name,
    suffix,
    [...flags, ...include, `-I${paged}`],
    [path.join(tests, `${name}.cpp`), ...pure],
    [ggmlBase],
  );
const withLibrary = (name) =>
  compile(
    name,
    '',
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
  run(alone('test_kernel', '-asan', ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']), [
    '20',
  ]);
  run(alone('test_kernel', '-tsan', ['-O1', '-fsanitize=thread']), ['20']);
} else if (!args.includes('--only=model')) {
  run(alone('test_kernel', '', ['-O3']), []);
}
if (!args.includes('--only=kernel')) {
  if (!model) {
    console.error('The tests of placement and logits need a model: pass a .gguf file, or --only=kernel.');
    process.exit(1);
  }
  for (const name of ['test_placement', 'test_logits']) run(withLibrary(name), [path.resolve(model)]);
}
