import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test, { type TestContext } from 'node:test';
import { ModelStore, type ResolvedModel, resolveModel } from '../../src/models/index.js';
import { chooseQuantisation } from '../../src/models/sources/hugging-face.js';
import { type Handler, sendFile, TestServer } from './support/file-server.js';
import { impatientHttp, sha256, someBytes, temporaryDirectory } from './support/setup.js';

const body = someBytes(100_000);
const commit = 'c'.repeat(40);

async function setUp(t: TestContext, handler: (store: TestServer) => Handler) {
  const storage = await TestServer.start((request, response) =>
    sendFile(request, response, { body, etag: '"s"' }),
  );
  const hub = await TestServer.start((...args) => handler(storage)(...args));
  t.after(() => Promise.all([storage[Symbol.asyncDispose](), hub[Symbol.asyncDispose]()]));
  const directory = await temporaryDirectory(t);
  const http = impatientHttp();
  const env = { SLUICE_CACHE: directory, HF_ENDPOINT: hub.origin, HF_TOKEN: 'secret' };
  const resolve = (ref: string): Promise<ResolvedModel> => resolveModel(ref, { env, http });
  return { storage, hub, directory, resolve, http };
}

/** As the hub does: large files lie elsewhere, the first answer names commit, checksum and size. */
const redirecting =
  (digest: string) =>
  (storage: TestServer): Handler =>
  (request, response) => {
    if (request.url!.startsWith('/api/models/org/repo/')) {
      const siblings = ['README.md', 'x-Q8_0.gguf', 'x-Q4_K_M.gguf', 'mmproj-F16.gguf'].map((rfilename) => ({
        rfilename,
      }));
      response.end(JSON.stringify({ siblings }));
      return;
    }
    response.writeHead(302, {
      location: `${storage.origin}/blob?signature=1`,
      'x-repo-commit': commit,
      'x-linked-etag': `"${digest}"`,
      'x-linked-size': body.length,
    });
    response.end();
  };

test('a file behind a redirect to another origin, which never sees the token', async (t) => {
  const { resolve, hub, storage } = await setUp(t, redirecting(sha256(body)));
  const model = await resolve('hf:org/repo:x-Q8_0.gguf');
  assert.equal(model.id, 'x-Q8_0');
  assert.equal(model.revision, sha256(body));
  assert.deepEqual(await readFile(model.path), body);
  assert.ok(hub.requests.every((request) => request.headers.authorization === 'Bearer secret'));
  assert.ok(storage.requests.every((request) => request.headers.authorization === undefined));
  assert.deepEqual(
    hub.requests.map(({ method, path }) => `${method} ${path}`),
    ['HEAD /org/repo/resolve/main/x-Q8_0.gguf', `GET /org/repo/resolve/${commit}/x-Q8_0.gguf`],
  );
});

test('a second time nothing is asked', async (t) => {
  const { resolve, hub } = await setUp(t, redirecting(sha256(body)));
  const first = await resolve('hf:org/repo:x-Q8_0.gguf');
  const asked = hub.requests.length;
  assert.deepEqual(await resolve('hf:org/repo:x-Q8_0.gguf'), first);
  assert.equal(hub.requests.length, asked);
});

test('without a file named, a sensible quantisation is taken', async (t) => {
  const { resolve } = await setUp(t, redirecting(sha256(body)));
  assert.match((await resolve('hf:org/repo')).path, /x-Q4_K_M\.gguf$/);
  assert.equal(chooseQuantisation(['b-Q8_0.gguf', 'a-f16.gguf']), 'b-Q8_0.gguf');
  assert.equal(chooseQuantisation(['b-IQ4_K_M.gguf', 'a-odd.gguf']), 'a-odd.gguf');
  assert.equal(chooseQuantisation([]), null);
});

test('bytes that are not those the hub announced are refused', async (t) => {
  const { resolve, directory } = await setUp(t, redirecting(sha256(Buffer.from('other'))));
  await assert.rejects(resolve('hf:org/repo:x-Q8_0.gguf'), { code: 'model_checksum_mismatch' });
  assert.deepEqual(await new ModelStore(`${directory}/models`).list(), []);
});

test('gated, missing, limited', async (t) => {
  const answer = (status: number, headers = {}) =>
    setUp(t, () => (_request, response) => void response.writeHead(status, headers).end());
  await assert.rejects((await answer(401)).resolve('hf:org/repo:x.gguf'), {
    code: 'model_access_denied',
    message: /HF_TOKEN/,
  });
  await assert.rejects((await answer(404)).resolve('hf:org/repo:x.gguf'), { code: 'model_not_found' });
  const limited = await answer(429, { 'retry-after': '3' });
  await assert.rejects(limited.resolve('hf:org/repo:x.gguf'), { code: 'model_download_failed' });
  assert.ok(limited.http.waitsMs.every((ms) => ms >= 3000));
});

test('endless redirects, and redirects out of the trusted protocols, end', async (t) => {
  const loop = await setUp(
    t,
    () => (request, response) => void response.writeHead(302, { location: request.url! }).end(),
  );
  await assert.rejects(loop.resolve('hf:org/repo:x.gguf'), {
    code: 'model_not_found',
    message: /redirects more than/,
  });
  const local = await setUp(
    t,
    () => (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  );
  await assert.rejects(local.resolve('hf:org/repo:x.gguf'), { code: 'model_access_denied' });
});

test('split models are refused with the reason', async (t) => {
  const { resolve } = await setUp(t, redirecting(sha256(body)));
  await assert.rejects(resolve('hf:org/repo:x-00001-of-00002.gguf'), {
    code: 'invalid_value',
    message: /split/,
  });
});
