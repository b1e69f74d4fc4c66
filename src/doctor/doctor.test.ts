import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { runProbe, runProgram } from './program.js';
import { checkPort, checkServing } from './serving.js';
import { checkNode, checkSystem, parseCpuInfo } from './system.js';

test('Node.js versions', () => {
  assert.equal(checkNode('18.20.0').status, 'fail');
  assert.equal(checkNode('20.0.0').status, 'ok');
  assert.equal(checkNode('100.1.0').status, 'ok');
});

test('the machine that runs the tests is fit for it', () => {
  assert.deepEqual(
    checkSystem().filter((check) => check.status === 'fail'),
    [],
  );
});

test('vector instructions of x64 and arm64', () => {
  const x64 = 'processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx avx2 amx_int8\n';
  assert.deepEqual(parseCpuInfo(x64), { model: 'Some CPU', features: ['avx', 'avx2', 'amx_int8'] });
  assert.deepEqual(parseCpuInfo('Features\t: fp asimddp sve\n').features, ['asimddp', 'sve']);
  assert.deepEqual(parseCpuInfo(''), { model: 'unknown model', features: [] });
});

test('a port that is free, taken, or not of this machine', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal((await checkPort('127.0.0.1', port)).status, 'warn');
  server.close();
  await once(server, 'close');
  assert.equal((await checkPort('127.0.0.1', port)).status, 'ok');
  assert.equal((await checkPort('192.0.2.1', port)).status, 'fail'); // TEST-NET-1, RFC 5737
});

test('an empty cache is worth a warning, one that cannot be written a failure', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-doctor-'));
  try {
    const statuses = async (cache: string) => {
      const checks = await checkServing({ host: '127.0.0.1', port: 0, env: { SLUICE_CACHE: cache } });
      return Object.fromEntries(checks.map((check) => [check.name, check.status]));
    };
    const none = join(directory, 'none');
    assert.deepEqual(await statuses(none), { Port: 'ok', 'Default model': 'warn', Disk: 'ok' });
    assert.equal(existsSync(none), false);
    const file = join(directory, 'file');
    writeFileSync(file, '');
    assert.deepEqual(await statuses(file), { Port: 'ok', 'Default model': 'warn', Disk: 'fail' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('programs that are missing, fail or crash are reported, not thrown', async () => {
  assert.deepEqual(await runProgram('echo', ['hello']), { ok: true, output: 'hello' });
  assert.equal((await runProgram('no-such-program-here', [])).ok, false);
  const crash = await runProgram(process.execPath, ['-e', 'process.kill(process.pid, "SIGSEGV")']);
  assert.deepEqual(crash, { ok: false, reason: 'killed by SIGSEGV' });
  const complaint = await runProgram(process.execPath, [
    '-e',
    'console.error("first\\nlast"); process.exit(3)',
  ]);
  assert.deepEqual(complaint, { ok: false, reason: 'last' });
  assert.ok('failed' in (await runProbe('no-such-probe', () => ({}))));
});
