import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { settings } from '../../src/config/index.js';
import { projectRoot } from '../../src/support/root.js';

const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
after(() => rmSync(dataFolder, { recursive: true }));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function sluice(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const file = join(projectRoot(), 'bin/sluice');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [file, ...args],
      { env: { ...process.env, ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

test('serve --help lists every setting with its default', async () => {
  const { code, stdout } = await sluice(['serve', '--help']);
  assert.equal(code, 0);
  assert.match(stdout, /--port <port>\s+TCP port; 0 takes a free one \(default: 8080\)/);
  assert.match(stdout, /--kv-type <type>/);
  assert.match(
    stdout,
    /http\.maxBodyBytes \(SLUICE_HTTP_MAX_BODY_BYTES\)\s+largest request body \(default: 4194304\)/,
  );
  const help = stdout.replace(/\s+/g, ' ');
  for (const { path, description } of settings) assert.ok(help.includes(description), path);
});

test('settings that cannot be used are told in one line each, before anything is loaded', async () => {
  const args = ['serve', '--port', 'http', '--kv-type', 'q9', '--set', 'http.nothing=1'];
  const { code, stderr } = await sluice(args, { SLUICE_ENGINE_THREADS: '-3' });
  assert.equal(code, 1);
  assert.match(stderr, /--port: server\.port: expected a number, not a string \(TCP port/);
  assert.match(stderr, /--kv-type: engine\.kvTypeK: .*expected "f16"/);
  assert.match(stderr, /--set http\.nothing: http\.nothing: no such setting/);
  assert.match(stderr, /SLUICE_ENGINE_THREADS: engine\.threads: /);
  assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
});

test('an open address without keys is refused', async () => {
  const { code, stderr } = await sluice(['serve', '--host', '0.0.0.0', '--data', dataFolder]);
  assert.equal(code, 1);
  assert.match(stderr, /there are no keys/);
});

test('a port that is taken is told before the model is loaded', async () => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as net.AddressInfo;
  const { code, stderr } = await sluice(['serve', '--port', String(port), '--data', dataFolder]);
  holder.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`port ${port}: something else listens there`));
});

test('a model that does not exist is told in one line', async () => {
  const { code, stderr } = await sluice([
    'serve',
    '--port',
    '0',
    '--data',
    dataFolder,
    '--model',
    '/no/such/model.gguf',
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /^sluice: No model/m);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

test('the version is the package’s', async () => {
  const { stdout } = await sluice(['--version']);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});
