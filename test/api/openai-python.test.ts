import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/support/cache.js';
import { projectRoot } from '../../src/support/root.js';
import { installOnce } from '../support/install-once.js';
import { startWholeServer } from '../support/whole-server.js';

const run = promisify(execFile);
const sdkVersion = '2.14.0';

function pythonSdk(): Promise<string> {
  const target = join(cacheDirectory(process.env), 'python', `openai-sdk-${sdkVersion}`);
  const options = ['--quiet', '--disable-pip-version-check', `openai==${sdkVersion}`];
  return installOnce(target, (draft) =>
    run('python3', ['-m', 'pip', 'install', '--target', draft, ...options], { timeout: 180_000 }),
  );
}

test("OpenAI's Python SDK works unchanged", { timeout: 240_000 }, async () => {
  const packages = await pythonSdk();
  // One at a time and one waiting: the third request is refused, and tried again.
  const whole = await startWholeServer({
    'engine.maxSequences': 1,
    'engine.maxQueue': 1,
    'routing.maxWaiting': 0,
    'http.pingIntervalMs': 100,
  });
  try {
    const script = join(projectRoot(), 'test', 'api', 'openai_sdk.py');
    const { stdout } = await run('python3', [script, whole.url], {
      env: { ...process.env, PYTHONPATH: packages },
      timeout: 60_000,
    });
    const checks = stdout.trim().split('\n');
    assert.deepEqual(checks, [
      'completion',
      'completion stream',
      'chat',
      'chat stream',
      'errors',
      'error in a stream',
      'retry',
    ]);
  } finally {
    await whole.close();
  }
});
