// Compiles everything and runs the test suite: node:test on the compiled JavaScript, the same files that ship.
// Usage: node scripts/test.mjs [--long] [substring of a test's path …]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const long = args.includes('--long');
const filters = args.filter((argument) => argument !== '--long');

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

if (tests.length === 0) {
  console.error(`No test matches ${filters.join(', ')}.`);
  process.exit(1);
}

run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
run(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', '--test-reporter=spec', ...tests],
  long ? { SLUICE_LONG: '1' } : {},
);
