/**
 * Builds and runs the tests of native/sampler, or its benchmark.
 *
 * Usage: node scripts/test-native-sampler.mjs [--sanitize[=address,undefined]] [substring of a test's name]
 *        node scripts/test-native-sampler.mjs --bench [vocabulary size]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached } from './native/cache.mjs';
import { buildLibllama } from './native/libllama.mjs';
import { projectRoot, release } from './native/release.mjs';
import { BuildError, jobs, requireBuildTools, run } from './native/tools.mjs';

/** The smallest byte-level vocabulary that the release carries, 50,257 tokens. */
const VOCAB = 'ggml-vocab-gpt-2.gguf';
const VOCAB_BYTES_MAX = 16 * 1024 * 1024;

const report = (line) => console.error(`native: ${line}`);

/** A vocabulary-only GGUF out of the release's bundle. */
async function vocabFile(source) {
  const { entry } = await cached('vocab', `${source.tag}-${VOCAB.replace('.gguf', '')}`, async (draft) => {
    const repository = path.join(draft, 'repository.git');
    const git = (args) => execFileSync('git', args, { maxBuffer: VOCAB_BYTES_MAX });
    git(['clone', '--quiet', '--bare', source.bundle, repository]);
    writeFileSync(path.join(draft, VOCAB), git(['-C', repository, 'show', `HEAD:models/${VOCAB}`]));
    execFileSync('rm', ['-r', repository]);
  });
  return path.join(entry, VOCAB);
}

async function build(target, sanitize) {
  requireBuildTools();
  const source = release();
  const libllama = await buildLibllama(source, report);
  const out = path.join(
    projectRoot,
    'build',
    `sampler-test${sanitize ? `-${sanitize.replaceAll(',', '-')}` : ''}`,
  );
  mkdirSync(out, { recursive: true });
  const logFile = path.join(out, 'build.log');
  const defines = {
    CMAKE_BUILD_TYPE: sanitize ? 'RelWithDebInfo' : 'Release',
    SLUICE_LIBLLAMA: libllama.entry,
    SLUICE_GGML: source.libraries,
    SLUICE_TAG: source.tag,
    SANITIZE: sanitize,
  };
  await run(
    'cmake',
    [
      ...['-S', path.join(projectRoot, 'test', 'native', 'sampler'), '-B', out],
      ...Object.entries(defines).map(([name, value]) => `-D${name}=${value}`),
    ],
    { logFile },
  );
  await run('cmake', ['--build', out, '--target', target, '--parallel', String(jobs)], { logFile });
  return { program: path.join(out, target), vocab: await vocabFile(source) };
}

function sanitizersOf(args) {
  const option = args.find((argument) => argument.startsWith('--sanitize'));
  if (option === undefined) return '';
  return option.split('=')[1] ?? 'address,undefined';
}

const args = process.argv.slice(2);
const isBench = args.includes('--bench');
const rest = args.filter((argument) => !argument.startsWith('--'));
try {
  const { program, vocab } = await build(isBench ? 'sampler_bench' : 'sampler_test', sanitizersOf(args));
  const env = { ...process.env, SLUICE_TEST_VOCAB: vocab };
  const { status, signal, error } = spawnSync(program, rest, { stdio: 'inherit', env });
  if (error) throw error;
  if (signal) console.error(`${path.basename(program)} was ended by ${signal}`);
  process.exitCode = status ?? 1;
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
