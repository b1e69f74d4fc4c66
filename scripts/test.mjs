// Compiles everything and runs the test suite: node:test on the compiled JavaScript, the same files that ship.
// Tests whose program (a Redis, a browser) isn't here are left out and named, unless SLUICE_TEST_ALL is set.
// Usage: node scripts/test.mjs [--long] [substring of a test's path …]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutPrograms } from './test-needs.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const long = args.includes('--long');
const filters = args.filter((argument) => argument !== '--long');
/** A file of tests that hangs is a failure with its name, not a run without end. */
const FILE_TIMEOUT_MS = (long ? 120 : 20) * 60_000;

function run(command, commandArgs, env = {}) {
  const { status, signal, error } = spawnSync(command, commandArgs, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}

// The list comes from the sources, so a compiled test whose source is gone never runs.
const tests = ['src', 'bench', 'test']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .map((name) => join('dist', name.replace(/\.ts$/, '.js')))
  .sort();

if (tests.length === 0) fail(`No test matches ${filters.join(', ')}.`);

run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);

const missing = withoutPrograms(tests, 'dist');
const leftOut = new Set([...missing.values()].flat());
const chosen = tests.filter((test) => !leftOut.has(test));
if (leftOut.size > 0 && process.env.SLUICE_TEST_ALL) fail(whatIsLeftOut());
if (chosen.length > 0)
  run(
    process.execPath,
    [
      '--enable-source-maps',
      '--test',
      '--test-concurrency=2',
      `--test-timeout=${FILE_TIMEOUT_MS}`,
      '--test-force-exit', // what a test leaves open keeps no file from ending
      '--test-reporter=spec',
      ...chosen,
    ],
    long ? { SLUICE_LONG: '1' } : {},
  );
if (leftOut.size > 0) console.log(whatIsLeftOut());

function whatIsLeftOut() {
  return [...missing]
    .filter(([, files]) => files.length > 0)
    .map(([program, files]) => `${files.length} files of tests need ${program} (apt-get install ${program}).`)
    .join('\n');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
