import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Downloaded, type DownloadRequest, download } from '../../src/models/download.js';
import { cut, type FileAnswer, type Handler, sendFile, TestServer } from './support/file-server.js';
import { impatientHttp, sha256, someBytes, temporaryDirectory } from './support/setup.js';

const body = someBytes(300_000);
const other = someBytes(300_000, 2);

/** Answers request i with answers[i], the last one from then on. */
function script(...answers: FileAnswer[]): Handler {
  return (request, response, count) =>
    sendFile(request, response, answers[Math.min(count, answers.length - 1)]!);
}

async function setUp(t: TestContext, handler: Handler) {
  const directory = await temporaryDirectory(t);
  const server = await TestServer.start(handler);
  t.after(() => server[Symbol.asyncDispose]());
  const http = impatientHttp();
  const target = join(directory, 'x.gguf');
  const run = (request: Partial<DownloadRequest> = {}, freeBytes = 2 ** 40): Promise<Downloaded> =>
    download(
      {
        url: new URL('/x.gguf', server.origin),
        authorization: null,
        target,
        sha256: null,
        bytes: null,
        maxBytes: 2 ** 30,
        ...request,
      },
      { http, freeBytes: async () => freeBytes, signal: new AbortController().signal, onProgress: cut },
    );
  return { directory, server, http, target, run };
}

test('a whole file', async (t) => {
  const { run, target, directory } = await setUp(t, script({ body, etag: '"a"' }));
  assert.deepEqual(await run({ sha256: sha256(body) }), {
    sha256: sha256(body),
    bytes: body.length,
    etag: '"a"',
  });
  assert.deepEqual(await readFile(target), body);
  assert.deepEqual(await readdir(directory), ['x.gguf']);
});

test('a connection that breaks again and again is continued from where it broke', async (t) => {
  const cut = { body, etag: '"a"', cutAfter: 50_000 };
  const { run, target, server } = await setUp(t, script(cut));
  await run();
  assert.deepEqual(await readFile(target), body);
  assert.deepEqual(server.ranges, [null, ...[1, 2, 3, 4, 5].map((i) => `bytes=${i * 50_000}-`)]);
  assert.equal(server.requests[1]!.headers['if-range'], '"a"');
});

test('a file that changes in the middle is fetched anew, not mixed', async (t) => {
  const { run, target, server } = await setUp(
    t,
    script({ body, etag: '"a"', cutAfter: 50_000 }, { body: other, etag: '"b"' }),
  );
  await run();
  assert.deepEqual(await readFile(target), other);
  assert.equal(server.requests.length, 2);
});

test('a server that ignores If-Range is caught by its ETag', async (t) => {
  const { run, target } = await setUp(t, (request, response, count) => {
    if (count === 0) return sendFile(request, response, { body, etag: '"a"', cutAfter: 50_000 });
    delete request.headers['if-range'];
    sendFile(request, response, { body: other, etag: '"b"' });
  });
  await run();
  assert.deepEqual(await readFile(target), other);
});

test('without a strong ETag or a checksum nothing is continued', async (t) => {
  for (const etag of [undefined, 'W/"weak"']) {
    const tag = etag === undefined ? {} : { etag };
    const { run, target, server } = await setUp(
      t,
      script({ body, ...tag, cutAfter: 50_000 }, { body: other, ...tag }),
    );
    await run();
    assert.deepEqual(await readFile(target), other);
    assert.deepEqual(server.ranges, [null, null]);
  }
});

test('a checksum is reason enough to continue', async (t) => {
  const { run, target, server } = await setUp(t, script({ body, cutAfter: 50_000 }, { body }));
  await run({ sha256: sha256(body) });
  assert.deepEqual(await readFile(target), body);
  assert.deepEqual(server.ranges, [null, 'bytes=50000-']);
});

test('a continued file with the wrong checksum is fetched once more from the start', async (t) => {
  let isBroken = true;
  const { run, target, server } = await setUp(t, (request, response, count) => {
    if (count === 0) sendFile(request, response, { body: other, cutAfter: 50_000 });
    else if (isBroken) response.destroy();
    else sendFile(request, response, { body });
  });
  const expected = { sha256: sha256(body), bytes: body.length };
  await assert.rejects(run(expected), { code: 'model_download_failed' }); // and the beginning of `other` stays
  isBroken = false;
  const before = server.requests.length;
  await run(expected);
  assert.deepEqual(await readFile(target), body);
  assert.deepEqual(server.ranges.slice(before), ['bytes=50000-', null]);
});

test('a wrong checksum leaves nothing behind', async (t) => {
  const { run, directory } = await setUp(t, script({ body: other, etag: '"a"' }));
  await assert.rejects(run({ sha256: sha256(body) }), { code: 'model_checksum_mismatch' });
  assert.deepEqual(await readdir(directory), []);
});

test('too many bytes are refused before and while they come', async (t) => {
  const { run } = await setUp(t, script({ body, etag: '"a"' }));
  await assert.rejects(run({ maxBytes: 1000 }), { code: 'model_checksum_mismatch' });
  const chunked = await setUp(t, (_request, response) => void response.end(body)); // no Content-Length known before
  await assert.rejects(chunked.run({ maxBytes: 1000 }), { code: 'model_checksum_mismatch' });
  await assert.rejects(chunked.run({ bytes: 1000 }), { code: 'model_checksum_mismatch' });
});

test('a full disk is noticed before the first byte', async (t) => {
  const { run, directory } = await setUp(t, script({ body, etag: '"a"' }));
  await assert.rejects(run({}, 1000), { code: 'insufficient_storage' });
  assert.deepEqual(await readdir(directory), []);
});

test('silence is a broken connection', async (t) => {
  const { run, target, http, server } = await setUp(
    t,
    script({ body, etag: '"a"', holdAfter: 50_000 }, { body, etag: '"a"' }),
  );
  http.stallTimeoutMs = 50;
  await run();
  assert.deepEqual(await readFile(target), body);
  assert.deepEqual(server.ranges, [null, 'bytes=50000-']);
});

test('attempts without a new byte are bounded and wait twice as long each', async (t) => {
  const { run, http, server } = await setUp(t, (_request, response) => void response.destroy());
  await assert.rejects(run(), { code: 'model_download_failed' });
  assert.equal(server.requests.length, http.maxAttempts);
  assert.deepEqual(http.waitsMs, [500, 1000, 2000, 4000, 8000]);
});

test('statuses: what is tried again and what is not', async (t) => {
  const expected = {
    401: 'model_access_denied',
    403: 'model_access_denied',
    404: 'model_not_found',
    410: 'model_not_found',
  };
  for (const [status, code] of Object.entries(expected)) {
    const { run, server } = await setUp(
      t,
      (_request, response) => void response.writeHead(Number(status)).end(),
    );
    await assert.rejects(run(), { code });
    assert.equal(server.requests.length, 1);
  }
  const flaky = await setUp(t, (request, response, count) => {
    if (count < 2) response.writeHead(503).end();
    else sendFile(request, response, { body });
  });
  await flaky.run();
  assert.equal(flaky.server.requests.length, 3);
});

test('Retry-After is heeded, but not without bound', async (t) => {
  const limited =
    (seconds: string): Handler =>
    (request, response, count) => {
      if (count === 0) response.writeHead(429, { 'retry-after': seconds }).end();
      else sendFile(request, response, { body });
    };
  const patient = await setUp(t, limited('7'));
  await patient.run();
  assert.deepEqual(patient.http.waitsMs, [7000]);
  const tooLong = await setUp(t, limited('86400'));
  await assert.rejects(tooLong.run(), { code: 'model_download_failed', retryAfterSeconds: 86400 });
});

test('cancelling keeps what has arrived', async (t) => {
  const { directory, server, http, target } = await setUp(
    t,
    script({ body, etag: '"a"', holdAfter: 50_000 }, { body, etag: '"a"' }),
  );
  const controller = new AbortController();
  const request = {
    url: new URL('/x.gguf', server.origin),
    authorization: null,
    target,
    sha256: null,
    bytes: null,
    maxBytes: 2 ** 30,
  };
  const tools = { http, freeBytes: async () => 2 ** 40, signal: controller.signal };
  const cancelled = download(request, {
    ...tools,
    onProgress: (done) => {
      if (done === 50_000) controller.abort(new Error('stop'));
    },
  });
  await assert.rejects(cancelled, { message: 'stop' });
  assert.deepEqual((await readdir(directory)).sort(), ['x.gguf.part', 'x.gguf.part.json']);
  await download(request, { ...tools, signal: new AbortController().signal, onProgress() {} });
  assert.deepEqual(await readFile(target), body);
  assert.equal(server.ranges[1], 'bytes=50000-');
});
