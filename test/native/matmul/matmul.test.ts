import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../../src/support/root.js';

function runNativeTests(...options: string[]): string {
  const script = path.join(projectRoot(), 'scripts', 'test-native-matmul.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options], { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  return stdout;
}

test('products of packed weights are those in double precision, in every format, and threads share them out', () => {
  assert.match(runNativeTests(), /matmul: (ok|no kernel).*team: ok/s);
});

const long = { skip: process.env.SLUICE_LONG === undefined && 'npm run test:long' };

test('the same under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer', long, () => {
  assert.match(runNativeTests('--sanitize'), /matmul: (ok|no kernel).*team: ok/s);
});
