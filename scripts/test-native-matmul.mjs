/**
 * Builds and runs the tests of native/matmul's kernels, or their benchmark beside ggml's.
 *
 * Usage: node scripts/test-native-matmul.mjs [--sanitize | --bench [threads [rounds]]]
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildLibllama, filesIn } from './native/libllama.mjs';
import { compileProgram, runOrExit } from './native/program.mjs';
import { release as findRelease, projectRoot } from './native/release.mjs';

const args = process.argv.slice(2);
const release = findRelease();
const libllama = await buildLibllama(release, (line) => console.error(`native: ${line}`));
const out = path.join(projectRoot, 'build', 'test-native-matmul');
mkdirSync(out, { recursive: true });

function compile(name, suffix, flags) {
  const include = [
    `-I${path.join(libllama.entry, 'ggml/include')}`,
    `-I${path.join(projectRoot, 'native')}`,
    `-I${path.join(projectRoot, 'native/matmul')}`,
  ];
  const own = [
    ...filesIn('native/matmul', /^(matmul|packed|team).*\.cpp$/), // llama-matmul.cpp needs libllama
    ...filesIn('native', /^weight_place\.cpp$/),
  ];
  const test = path.join(projectRoot, 'test', 'native', 'matmul', `${name}.cpp`);
  const libraries = [release.ggmlLibrary, 'libggml-base.so'].map((file) =>
    path.join(release.libraries, file),
  );
  return compileProgram(path.join(out, name + suffix), [...flags, ...include], [test, ...own], libraries);
}

if (args[0] === '--bench') {
  runOrExit(compile('bench_matmul', '', ['-O3']), [release.libraries, ...args.slice(1)]);
} else if (args[0] === '--sanitize') {
  const sanitizers = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  runOrExit(compile('test_matmul', '-asan', sanitizers), []);
  runOrExit(compile('test_team', '-tsan', ['-O1', '-fsanitize=thread']), []);
} else {
  for (const name of ['test_matmul', 'test_team']) runOrExit(compile(name, '', ['-O3']), []);
}
