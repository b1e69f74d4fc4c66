import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/root.js';

/** The C++ tests of native/sampler, as programs of their own: they reach behind what the addon offers. */
function runNativeTests(...options: string[]): void {
  const script = path.join(projectRoot(), 'scripts', 'test-native-sampler.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options], { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /\d+ tests, 0 failures/);
}

test('the sampler agrees with its reference at every SIMD level', () => runNativeTests());

test(
  'the same tests under AddressSanitizer and UndefinedBehaviorSanitizer',
  { skip: process.env.SLUICE_LONG === undefined && 'npm run test:long' },
  () => runNativeTests('--sanitize'),
);

test(
  'threads share rows without a race, under ThreadSanitizer',
  { skip: process.env.SLUICE_LONG === undefined && 'npm run test:long' },
  () => runNativeTests('--sanitize=thread', 'determinism'),
);
