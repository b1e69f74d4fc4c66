import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../../src/support/root.js';
import { fixture } from '../../support/gguf/fixtures.js';
import { realModel } from '../../support/gguf/real-model.js';

/** The C++ tests of native/paged, as programs of their own: they reach into libllama, and sanitizers can't enter Node. */
function runNativeTests(...options: string[]): string {
  const script = path.join(projectRoot(), 'scripts', 'test-native-paged.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options], { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  return stdout;
}

test('plan and kernels agree with attention in double precision at every SIMD level', () => {
  assert.match(runNativeTests('--only=kernel'), /kernel: ok/);
});

for (const name of ['llama', 'qwen3', 'gemma3-swa'] as const) {
  test(`cells lie where block tables say, and logits are as good as llama.cpp's own: ${name}`, () => {
    assert.match(runNativeTests('--only=model', fixture(name)), /placement: ok.*logits: ok/s);
  });
}

const long = { skip: process.env.SLUICE_LONG === undefined && 'npm run test:long' };

test('the same on the default model', long, async () => {
  assert.match(runNativeTests('--only=model', await realModel()), /placement: ok.*logits: ok/s);
});

test('plan and kernels under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer', long, () => {
  assert.match(runNativeTests('--only=kernel', '--sanitize'), /kernel: ok/);
});
