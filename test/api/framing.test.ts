import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startTestServer({ delayMs: 1, settings: { 'http.allowedHosts': ['llm.example'] } });
});
after(() => server.close());

/** Sends bytes as they are; resolves with all that comes back until the server closes. */
async function raw(bytes: string, port = server.port): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined); // the server may reset what it refuses
  socket.write(bytes);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

const body = '{"prompt":"a","max_tokens":1}';
const post = (headers: string, sent = body) =>
  `POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${sent}`;

test('a well-formed request over a raw socket is answered', async () => {
  const answer = await raw(post(`Content-Length: ${body.length}\r\nConnection: close`));
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
});

const conflicting: [name: string, bytes: string][] = [
  ['two different lengths', post(`Content-Length: ${body.length}\r\nContent-Length: 5`)],
  ['the same length twice', post(`Content-Length: ${body.length}\r\nContent-Length: ${body.length}`)],
  ['a length beside chunks', post(`Content-Length: ${body.length}\r\nTransfer-Encoding: chunked`)],
  [
    'chunks beside a length',
    post(`Transfer-Encoding: chunked\r\nContent-Length: 3`, `1d\r\n${body}\r\n0\r\n\r\n`),
  ],
  ['a length that is no number', post('Content-Length: 5x')],
  ['a negative length', post('Content-Length: -1')],
  ['a list of lengths', post('Content-Length: 29, 29')],
  ['an unknown transfer encoding', post('Transfer-Encoding: gzip')],
  ['a smuggling encoding', post('Transfer-Encoding: chunked, identity')],
  ['a space before the colon', post('Content-Length : 5')],
  ['garbage', 'NONSENSE / HTTP/9.9\r\nHost: localhost\r\n\r\n'],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ['an endless head', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
];
for (const [name, bytes] of conflicting) {
  test(`${name}: refused, and the connection ends`, async () => {
    const answer = await raw(bytes);
    assert.match(answer, /^(HTTP\/1\.1 [45]\d\d |$)/);
    assert.doesNotMatch(answer, /HTTP\/1\.1 200/);
    assert.equal(server.engine.running, 0);
  });
}

test('a request pipelined behind a refused one is not served', async () => {
  const smuggled = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const answer = await raw(post(`Content-Length: 0\r\nContent-Length: ${smuggled.length}`, smuggled));
  assert.doesNotMatch(answer, /200 OK/);
});

test('an upload that breaks off costs nothing', async () => {
  const seen = server.engine.requests.length;
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(post('Content-Length: 1000', '{"prompt":'));
  await once(socket, 'connect');
  socket.destroy();
  await once(socket, 'close');
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  assert.equal(server.engine.requests.length, seen);
});

test('a head over the limit is refused in the API’s own words', async () => {
  for (const head of [
    `X: ${'x'.repeat(20_000)}`,
    Array.from({ length: 50 }, (_, i) => `X${i}: ${'x'.repeat(400)}`).join('\r\n'),
  ]) {
    const answer = await raw(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 431 /);
    assert.match(answer, /"code":"headers_too_large"/);
  }
  const long = await raw(`GET /healthz?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  assert.match(long, /"code":"headers_too_large"/);
});

test('a body that dawdles is refused', async () => {
  using hasty = await startTestServer({ settings: { 'http.bodyTimeoutMs': 100 } });
  const answer = await raw(post('Content-Length: 1000', '{"prompt":'), hasty.port);
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /"code":"request_timeout"/);
});

test('by default it is refused before uWS closes the connection', {
  skip: !process.env.SLUICE_LONG,
}, async () => {
  const answer = await raw(post('Content-Length: 1000', '{"prompt":'));
  assert.match(answer, /^HTTP\/1\.1 408 /);
});

test('bodies share a budget while they arrive, and give it back', async () => {
  using tight = await startTestServer({ settings: { 'http.maxReceivingBytes': 100 } });
  const waiting = net.connect(tight.port, '127.0.0.1');
  waiting.write(post('Content-Length: 90', ' '.repeat(80)));
  await once(waiting, 'connect');
  const status = async () => {
    const response = await tight.post('/v1/completions', body);
    await response.text();
    return response.status;
  };
  await eventually(async () => (await status()) === 429);
  waiting.destroy();
  await eventually(async () => (await status()) === 200);
});

test('connections beyond the limit are closed', async () => {
  using full = await startTestServer({ settings: { 'server.maxConnections': 2 } });
  const held = [net.connect(full.port, '127.0.0.1'), net.connect(full.port, '127.0.0.1')];
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const get = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  const refused = net.connect(full.port, '127.0.0.1');
  refused.on('error', () => undefined);
  await once(refused, 'close');
  held[0]!.destroy();
  await eventually(async () => (await raw(get, full.port)).startsWith('HTTP/1.1 200'));
  held[1]!.destroy();
});

test('two servers do not share a port', async () => {
  await assert.rejects(startTestServer({ settings: { 'server.port': server.port } }), /can't listen/);
});

test('HEAD has the length of GET and no body', async () => {
  const get = await fetch(`${server.url}/healthz`);
  const head = await raw('HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.ok(head.toLowerCase().includes(`content-length: ${(await get.text()).length}`));
  assert.ok(head.endsWith('\r\n\r\n'));
});

test('OPTIONS says what is allowed', async () => {
  const response = await fetch(`${server.url}/v1/prefixes`, { method: 'OPTIONS' });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('allow'), 'POST, GET, HEAD, OPTIONS');
  assert.equal(response.headers.get('access-control-allow-origin'), null);
});

test('names that are not this machine’s are refused on loopback', async () => {
  const get = (host: string) => raw(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await get('attacker.example'), /^HTTP\/1\.1 400 /);
  for (const host of ['localhost:1', '127.0.0.1', '[::1]:80', 'app.localhost', 'llm.example:8080']) {
    assert.match(await get(host), /^HTTP\/1\.1 200 /, host);
  }
});

test('the request id of a client comes back, an unfit one does not', async () => {
  const id = async (value: string) => {
    const response = await fetch(`${server.url}/healthz`, { headers: { 'x-request-id': value } });
    return response.headers.get('x-request-id');
  };
  assert.equal(await id('trace-1.2:3'), 'trace-1.2:3');
  assert.match((await id('no spaces'))!, /^req-[0-9a-f]{32}$/);
});

test('CORS answers configured origins only', async () => {
  using open = await startTestServer({ settings: { 'http.corsOrigins': ['https://app.example'] } });
  const from = (origin: string, method = 'GET') =>
    fetch(`${open.url}/v1/models`, {
      method,
      headers: { origin, 'access-control-request-headers': 'authorization' },
    });
  const allowed = await from('https://app.example', 'OPTIONS');
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
  assert.equal(allowed.headers.get('access-control-allow-headers'), 'authorization');
  assert.equal((await from('https://app.example')).headers.get('vary'), 'origin');
  assert.equal((await from('https://other.example')).headers.get('access-control-allow-origin'), null);
});
