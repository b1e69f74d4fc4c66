import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fixture, splitFixture } from '../support/gguf/fixtures.js';
import { sendFile, TestServer } from './support/file-server.js';
import { sha256, temporaryDirectory } from './support/setup.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

async function commandLine(t: TestContext): Promise<(...args: string[]) => Promise<Result>> {
  const env = { ...process.env, SLUICE_CACHE: await temporaryDirectory(t) };
  return (...args) =>
    new Promise((resolve) => {
      execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) => {
        resolve({ status: Number(error?.code ?? 0), stdout, stderr });
      });
    });
}

test('pull, list, info, rm', async (t) => {
  const body = readFileSync(fixture('qwen3'));
  const server = await TestServer.start((request, response) =>
    sendFile(request, response, { body, etag: '"q"' }),
  );
  t.after(() => server[Symbol.asyncDispose]());
  const sluice = await commandLine(t);
  const ref = `${server.origin}/tiny.gguf`;

  assert.match((await sluice('models', 'list')).stdout, /gemma-3-270m +no +253 MB/);
  const missing = await sluice('models', 'info', ref);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /sluice models pull/);

  const pulled = await sluice('models', 'pull', ref, '--json');
  assert.equal(pulled.status, 0);
  const { id, path, revision } = JSON.parse(pulled.stdout);
  assert.deepEqual({ id, revision }, { id: 'tiny', revision: sha256(body) });
  assert.match(
    pulled.stderr,
    /^Pulling .*\ntiny\.gguf: .*\n(.*\n)*tiny\.gguf: 1\.1 MB of 1\.1 MB \(100%\)\n$/,
  );

  const rows = JSON.parse((await sluice('models', 'list', '--json')).stdout) as {
    ref: string;
    name: string;
    pulled: boolean;
  }[];
  const row = rows.find((model) => model.ref === ref)!;
  assert.ok(row.pulled);
  const info = JSON.parse((await sluice('models', 'info', row.name, '--json')).stdout);
  assert.deepEqual([info.architecture, info.path], ['qwen3', path]);

  assert.equal((await sluice('models', 'rm', row.name)).status, 0);
  assert.equal(existsSync(path), false);
  assert.equal((await sluice('models', 'rm', ref)).status, 1);
});

test('a local file needs no pull', async (t) => {
  const sluice = await commandLine(t);
  const info = JSON.parse((await sluice('models', 'info', fixture('mamba'), '--json')).stdout);
  assert.equal(info.architecture, 'mamba');
});

test('a split model: pull, info, rm; a part that is missing is named', async (t) => {
  const files = splitFixture('qwen3', 2);
  const server = await TestServer.start((request, response) =>
    sendFile(request, response, { body: readFileSync(files[request.url!.includes('00002-of') ? 1 : 0]!) }),
  );
  t.after(() => server[Symbol.asyncDispose]());
  const sluice = await commandLine(t);
  const ref = `${server.origin}/tiny-00001-of-00002.gguf`;
  const pulled = await sluice('models', 'pull', ref, '--json');
  assert.equal(pulled.status, 0, pulled.stderr);
  const { id, path } = JSON.parse(pulled.stdout);
  assert.deepEqual([id, basename(path)], ['tiny', 'tiny-00001-of-00002.gguf']);
  const described = await sluice('models', 'info', ref, '--json');
  assert.equal(described.status, 0, described.stderr);
  const facts = JSON.parse(described.stdout);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  assert.deepEqual([facts.files, facts.bytes, facts.architecture], [2, bytes, 'qwen3']);

  const second = path.replace('00001-of', '00002-of');
  const copy = join(await temporaryDirectory(t), basename(path));
  copyFileSync(path, copy);
  const missing = await sluice('models', 'info', copy);
  assert.match(
    missing.stderr,
    /^sluice: Part 2 of 2 of the model is missing: tiny-00002-of-00002\.gguf\.\n$/,
  );

  assert.equal((await sluice('models', 'rm', ref)).status, 0);
  assert.equal(existsSync(second), false);
});

test('wrong references and damaged files: one line, exit status 1', async (t) => {
  const sluice = await commandLine(t);
  for (const args of [
    ['pull', 'ftp://x/y'],
    ['pull', 'no-such-model'],
    ['info', './no-such-file.gguf'],
    ['info', main],
  ]) {
    const { status, stderr } = await sluice('models', ...args);
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, /^sluice: [^\n]+\n$/);
  }
});
