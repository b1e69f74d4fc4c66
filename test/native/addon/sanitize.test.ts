import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../../src/support/root.js';

const scripts = path.join(projectRoot(), 'scripts');
const { findingsOf } = (await import(path.join(scripts, 'native', 'sanitizer-reports.mjs'))) as {
  findingsOf(log: string): string[];
};

const lost = (module: string) => `Direct leak of 8 byte(s) in 1 object(s) allocated from:
    #0 0x7f in operator new(unsigned long) asan_new_delete.cpp:95
    #1 0x7f (${module}+0x1234)`;

const race = (module: string) => `WARNING: ThreadSanitizer: data race (pid=1)
  Write of size 4 at 0x7f by thread T1:
    #0 <null> <null> (${module}+0x1234)`;

test('of leaks and races only those of the addon and libllama count', () => {
  const leaks = ['/usr/bin/node', '/x/sluice.node', '/x/libllama.v0.5.0.so', '/x/libllama-common.so'].map(
    lost,
  );
  const summary = 'SUMMARY: AddressSanitizer: 32 byte(s) leaked in 4 allocation(s).';
  const heading = '==1==ERROR: LeakSanitizer: detected memory leaks';
  assert.deepEqual(findingsOf([heading, ...leaks, summary].join('\n\n')), leaks.slice(1, 3));

  const races = ['node', 'sluice.node', 'libggml-base.so'].map(race);
  const rule = '\n==================\n';
  races.push(`${race('sluice.node')}\n\n  Location is file descriptor 30 created by thread T10 at:`);
  assert.deepEqual(findingsOf(rule + races.join(rule + rule) + rule), [races[1]]);
  assert.deepEqual(findingsOf('==1==ERROR: ThreadSanitizer failed to allocate 0x1ede000015000 bytes'), []);
});

test('whatever else is reported counts', () => {
  const report = '==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x60\n    #0 0x7f in memcpy';
  assert.deepEqual(findingsOf(`${report}\n`), [report]);
  assert.deepEqual(findingsOf('\n'), []);
});

test('the tests of the addon pass under AddressSanitizer and UndefinedBehaviorSanitizer', {
  skip: process.env.SLUICE_LONG === undefined && 'npm run test:long',
}, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(scripts, 'test-sanitize.mjs')], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stderr, /address: 0 reports, tests pass/);
});
