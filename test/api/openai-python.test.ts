import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/support/cache.js';
import { projectRoot } from '../../src/support/root.js';
import { startTestServer } from '../support/server.js';

const run = promisify(execFile);
const sdkVersion = '2.14.0';

/** Python with the SDK in a folder of its own, made once. */
async function pythonWithSdk(): Promise<string> {
  const packages = join(cacheDirectory(process.env), 'python', `openai-${sdkVersion}`);
  if (!existsSync(join(packages, 'openai'))) {
    const args = ['-m', 'pip', 'install', '--quiet', '--target', packages, `openai==${sdkVersion}`];
    await run('python3', args, { timeout: 180_000 });
  }
  return packages;
}

test("OpenAI's Python SDK works unchanged", { timeout: 240_000 }, async () => {
  const packages = await pythonWithSdk();
  const server = await startTestServer();
  try {
    const script = join(projectRoot(), 'test', 'api', 'openai_sdk.py');
    const { stdout } = await run('python3', [script, server.url], {
      env: { ...process.env, PYTHONPATH: packages },
      timeout: 60_000,
    });
    const checks = stdout.trim().split('\n');
    assert.deepEqual(checks, ['completion', 'completion stream', 'chat', 'chat stream', 'errors']);
  } finally {
    server.close();
  }
});
