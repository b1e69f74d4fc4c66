import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { StubUpstream, says } from '../support/upstream.js';
import { EvalCommand, evalEntry, numbered } from './command.js';

const asRootOfItsOwn = ['--user', '--map-root-user', '--mount'];
const canMount =
  spawnSync('unshare', [...asRootOfItsOwn, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test('a full disk ends the run with what it is; with room again resume goes on, and nothing is lost', {
  skip: canMount ? false : 'no file system can be mounted here',
}, async () => {
  using command = new EvalCommand();
  // Answers of 20 kB each: a disk of 1 MiB holds some of 100, not all.
  await using endpoint = await StubUpstream.start(says('x'.repeat(20_000)));
  const suite = command.suite('full', numbered(100, { scorers: [{ type: 'regex', pattern: 'x' }] }));
  mkdirSync(command.data);
  const run = `"$NODE" "$ENTRY" eval run "$SUITE" --target m --url "$URL" --data "$DATA" --concurrency 2`;
  const script = `
    mount -t tmpfs -o size=1m none "$DATA" || exit 9
    ${run}; echo "status $?"
    mount -o remount,size=64m "$DATA"
    ${run} --resume; echo "status $?"`;
  const { output } = await command.spawn('unshare', [...asRootOfItsOwn, 'sh', '-c', script], {
    NODE: process.execPath,
    ENTRY: evalEntry,
    SUITE: suite,
    URL: endpoint.url,
    DATA: command.data,
  });
  assert.match(
    output,
    /The disk is full: results can't be kept\.\nWhat is done is kept: .*--resume \S+\nstatus 1\n/,
  );
  const [, there] = /Going on with run \S+: (\d+) of 100 are there/.exec(output) ?? [];
  assert.ok(Number(there) > 0, output);
  assert.match(output, /all +100 +100\.0 %[\s\S]*status 0\n$/);
});
