import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/support/root.js';
import { temporaryDirectory } from '../models/support/setup.js';

const commands: Record<string, RegExp> = {
  'keys list': /^ID /,
  usage: /^Nothing was used/,
  'cache stats': /^ANSWERS/,
  'eval runs': /^RUN /,
};

test('commands that only look leave nothing behind where nothing was', async (t) => {
  const home = await temporaryDirectory(t);
  const env = {
    ...process.env,
    HOME: home,
    SLUICE_CACHE: join(home, 'cache'),
    SLUICE_DATA_DIR: join(home, 'data'),
  };
  for (const [command, answer] of Object.entries(commands)) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(projectRoot(), 'bin/sluice'), ...command.split(' ')],
      { env },
    );
    assert.match(stdout, answer, command);
    assert.deepEqual(readdirSync(home), [], command);
  }
});
