/**
 * Runs the tests of the addon with an addon and a libllama built under AddressSanitizer and UBSan, or under
 * ThreadSanitizer. Anything that a sanitizer reports of them fails it, and so does a test.
 *
 * Usage: node scripts/test-sanitize.mjs [--under=address|thread] [substring of a test's path …]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { unseenFaults } from './native/planted-faults.mjs';
import { runOrExit } from './native/program.mjs';
import { projectRoot } from './native/release.mjs';
import { sanitizerEnvironment } from './native/sanitizer-environment.mjs';
import { readFindings } from './native/sanitizer-reports.mjs';
import { sanitizedVariant, sanitizerNames } from './native/variant.mjs';

/** Test files that load the addon and compile nothing. */
const tests = [
  ...['context', 'embedding', 'fuzz', 'hidden-states', 'lifetime', 'model', 'packed-weights', 'text'].map(
    (name) => `src/native/${name}`,
  ),
  ...['engine-lifetime', 'graph-reuse', 'native-engine'].map((name) => `src/engine/${name}`),
];

/** Recurses deeper than the 65,536 frames that ThreadSanitizer keeps of a stack, and does nothing on two threads. */
const tooDeep = ['src/native/text'];

const args = process.argv.slice(2);
const name = args.find((argument) => argument.startsWith('--under='))?.split('=')[1] ?? 'address';
const filters = args.filter((argument) => !argument.startsWith('--'));
const wanted = tests
  .filter((test) => name !== 'thread' || !tooDeep.includes(test))
  .filter((test) => filters.length === 0 || filters.some((filter) => test.includes(filter)));

/** True: the tests pass, and nothing was reported. */
function runUnder() {
  runOrExit(process.execPath, [path.join(projectRoot, 'scripts', 'build-native.mjs'), `--sanitize=${name}`]);
  const variant = sanitizedVariant(name);
  const logs = path.join(variant.directory, 'reports');
  const emptyLogs = () => {
    rmSync(logs, { recursive: true, force: true });
    mkdirSync(logs);
  };
  const takeFindings = () => {
    const findings = readFindings(logs);
    emptyLogs();
    return findings;
  };
  emptyLogs();
  const env = sanitizerEnvironment(name, variant, path.join(logs, name));

  const unseen = unseenFaults(name, variant, env, takeFindings);
  if (unseen.length > 0) {
    console.error(`${name}: a planted ${unseen.join(', a planted ')} went unseen`);
    return false;
  }
  const { status } = spawnSync(
    process.execPath,
    ['--enable-source-maps', '--test', '--test-concurrency=2', '--test-reporter=spec', ...compiled()],
    { cwd: projectRoot, stdio: 'inherit', env },
  );
  const findings = readFindings(logs);
  for (const finding of findings) console.error(`\n${finding}`);
  console.error(`${name}: ${findings.length} reports, tests ${status === 0 ? 'pass' : 'fail'}`);
  return status === 0 && findings.length === 0;
}

function compiled() {
  return wanted.map((test) => path.join('dist', `${test}.test.js`));
}

delete process.env.NODE_TEST_CONTEXT; // as a test itself, it would keep node:test from running others
runOrExit(process.execPath, [path.join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', projectRoot]);
if (!sanitizerNames.includes(name)) {
  console.error(`--under takes ${sanitizerNames.join(' or ')}.`);
  process.exit(1);
}
process.exit(runUnder() ? 0 : 1);
