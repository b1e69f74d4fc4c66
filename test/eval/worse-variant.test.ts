import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../bench/servers/server.js';
import { projectRoot } from '../../src/support/root.js';
import { realModel } from '../support/gguf/real-model.js';

test('the example: a variant that loses the stop strings, from the first request to alert and rollback', {
  skip: process.env.SLUICE_LONG === '1' ? false : 'SLUICE_LONG=1: up to a minute with a real model',
}, async () => {
  const demo = join(projectRoot(), 'examples', 'eval', 'worse-variant.mjs');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [demo, String(await freePort()), await realModel()],
    { encoding: 'utf8', timeout: 240_000 },
  );
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^as-it-is says of \w+: "[^\\]+"$/m);
  assert.match(stdout, /^without-stop says of \w+: ".*\\n.*"$/m);
  assert.match(stdout, /without-stop is worse than as-it-is on the route chat: quality −/);
  assert.match(stdout, /^Of 20 further users 0 were sent to without-stop\.$/m);
});
