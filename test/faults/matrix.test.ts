import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

/** An hour or so on two cores. */
const skip = process.env.SLUICE_LONG ? false : 'npm run test:long';

test('every fault a hundred times: nothing is lost, repeated or miscounted', { skip }, () => {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const { status } = spawnSync(process.execPath, [main, '--repeat', '100', '--seed', '1'], {
    stdio: 'inherit',
  });
  assert.equal(status, 0);
});
