import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname, join } from 'node:path';
import test, { describe, type TestContext } from 'node:test';
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
  assert.equal(
    chooseQuantisation(['a-Q8_0.gguf', 'a-Q4_0-00001-of-00002.gguf']),
    'a-Q4_0-00001-of-00002.gguf',
  );
  assert.equal(chooseQuantisation(['a-Q4_0-00001-of-00002.gguf', 'b-Q4_0.gguf']), 'b-Q4_0.gguf');
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

describe('a split model', () => {
  const parts = Array.from({ length: 3 }, (_, part) => someBytes(50_000 + part, part + 2));
  const names = parts.map((_, part) => `x-Q4_K_M-0000${part + 1}-of-00003.gguf`);
  const checksum = sha256(Buffer.from(parts.map(sha256).join('')));

  /** A hub that holds the parts itself; `answer` may change what it says of one. */
  function serve(
    t: TestContext,
    answer: (part: number, request: IncomingMessage, response: ServerResponse) => boolean = () => false,
  ) {
    return setUp(t, () => (request, response) => {
      if (request.url!.startsWith('/api/models/')) {
        const siblings = ['x-Q8_0.gguf', ...names].map((rfilename) => ({ rfilename }));
        return void response.end(JSON.stringify({ siblings }));
      }
      const part = names.findIndex((name) => request.url!.endsWith(`/${name}`));
      if (part === -1) return void response.writeHead(404).end();
      if (answer(part, request, response)) return;
      response.setHeader('x-repo-commit', commit);
      response.setHeader('x-linked-etag', `"${sha256(parts[part]!)}"`);
      response.setHeader('x-linked-size', parts[part]!.length);
      sendFile(request, response, { body: parts[part]! });
    });
  }

  const downloads = (hub: TestServer) =>
    hub.requests
      .filter(({ method, path }) => method === 'GET' && !path.startsWith('/api'))
      .map(({ path }) => path);

  test('all its parts are pulled, of one commit, whichever is named', async (t) => {
    for (const ref of ['hf:org/repo', `hf:org/repo:${names[0]}`, `hf:org/repo:${names[2]}`]) {
      const { resolve, hub, directory } = await serve(t);
      const model = await resolve(ref);
      assert.equal(model.id, ref === 'hf:org/repo' ? 'repo' : 'x-Q4_K_M');
      assert.equal(model.revision, checksum);
      assert.equal(basename(model.path), names[0]);
      for (const [part, name] of names.entries()) {
        assert.deepEqual(await readFile(join(dirname(model.path), name)), parts[part]);
      }
      assert.deepEqual(
        downloads(hub),
        names.map((name) => `/org/repo/resolve/${commit}/${name}`),
      );
      const [stored] = await new ModelStore(`${directory}/models`).list();
      assert.equal(stored!.manifest.bytes, 150_003);
    }
  });

  test('a pull that broke goes on after the parts it has', async (t) => {
    let broken = true;
    const { resolve, hub, directory } = await serve(t, (part, request, response) => {
      if (!broken || part !== 1 || request.method !== 'GET') return false;
      response.writeHead(401).end();
      return true;
    });
    await assert.rejects(resolve('hf:org/repo'), { code: 'model_access_denied' });
    assert.deepEqual(await new ModelStore(`${directory}/models`).list(), []);
    broken = false;
    hub.requests.length = 0;
    assert.equal((await resolve('hf:org/repo')).revision, checksum);
    assert.deepEqual(
      downloads(hub),
      names.slice(1).map((name) => `/org/repo/resolve/${commit}/${name}`),
    );
  });

  test('a missing part is named before anything is fetched', async (t) => {
    const { resolve, hub } = await serve(t, (part, _request, response) => {
      if (part !== 2) return false;
      response.writeHead(404).end();
      return true;
    });
    await assert.rejects(resolve('hf:org/repo'), { code: 'model_not_found', message: new RegExp(names[2]!) });
    assert.deepEqual(downloads(hub), []);
  });

  test('without one of its files it is no model any more', async (t) => {
    const { resolve, hub } = await serve(t);
    const model = await resolve('hf:org/repo');
    await rm(join(dirname(model.path), names[1]!));
    hub.requests.length = 0;
    await resolve('hf:org/repo');
    assert.deepEqual(downloads(hub), [`/org/repo/resolve/${commit}/${names[1]}`]);
  });

  test('more than the disk holds is refused at once', async (t) => {
    const { hub, directory } = await serve(t);
    const env = { SLUICE_CACHE: directory, HF_ENDPOINT: hub.origin };
    // One part fits, and two.
    const freeBytes = async () => 64 * 2 ** 20 + 120_000;
    await assert.rejects(resolveModel('hf:org/repo', { env, http: impatientHttp(), freeBytes }), {
      code: 'insufficient_storage',
    });
    assert.deepEqual(downloads(hub), []);
  });
});
