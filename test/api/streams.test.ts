import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { startTestServer } from '../support/server.js';

function request(body: object): string {
  const text = JSON.stringify(body);
  return `POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

test('a client that leaves its stream cancels the generation', async () => {
  using server = await startTestServer({ delayMs: 1 });
  const abort = new AbortController();
  const response = await server.post(
    '/v1/completions',
    { prompt: ['a', 'b'], n: 2, max_tokens: 2000, stream: true },
    { signal: abort.signal },
  );
  await response.body!.getReader().read();
  assert.equal(server.engine.running, 2);
  abort.abort();
  await eventually(() => server.engine.running === 0);
  assert.equal(server.engine.cancelled.length, 2);
});

test('a client that leaves before its whole answer cancels the generation', async () => {
  using server = await startTestServer({ delayMs: 1 });
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(request({ prompt: 'a', max_tokens: 2000 }));
  await eventually(() => server.engine.running === 1);
  socket.destroy();
  await eventually(() => server.engine.running === 0);
  assert.equal(server.engine.cancelled.length, 1);
});

test('who leaves gives up its own request only, also after others that were answered', async () => {
  using server = await startTestServer({ delayMs: 1 });
  const ask = (prompt: string, max_tokens: number, signal?: AbortSignal) =>
    server.post('/v1/completions', { prompt, max_tokens }, signal ? { signal } : {});
  for (const prompt of ['a', 'b']) assert.equal((await ask(prompt, 2)).status, 200);
  const abort = new AbortController();
  const left = ask('c', 2000, abort.signal);
  await eventually(() => server.engine.running === 1);
  const kept = ask('d', 400);
  await eventually(() => server.engine.running === 2);
  abort.abort();
  await assert.rejects(left);
  assert.equal((await kept).status, 200);
  await eventually(() => server.engine.running === 0);
  assert.equal(server.engine.cancelled.length, 1);
  assert.equal((await ask('e', 2)).status, 200, 'an aborted signal serves nobody else');
});

test('a client that leaves while its prompt is tokenised never reaches the engine', async () => {
  using server = await startTestServer();
  let open = () => {};
  server.text.gate = new Promise((resolve) => {
    open = resolve;
  });
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(request({ prompt: 'a' }));
  await once(socket, 'connect');
  socket.destroy();
  // The server has seen the end of the connection once it answers a later one's request with that in its log of requests.
  await eventually(async () => /sluice_http_requests_total\{.*status="499"\} 1/.test(await metrics()));
  open();
  await eventually(async () =>
    /llm_requests_total\{model="stub",status="cancelled"\} 1/.test(await metrics()),
  );
  assert.equal(server.engine.requests.length, 0);
});

test('a reader that does not read is dropped with bounded memory', async () => {
  const piece = 'x'.repeat(1000);
  using server = await startTestServer({
    maxContext: 10_000_000,
    reply: () => piece.repeat(5000),
    settings: { 'http.maxStreamBufferBytes': 64 * 1024 },
  });
  const socket = net.connect({ port: server.port, host: '127.0.0.1' });
  socket.pause();
  socket.write(request({ prompt: 'a', max_tokens: 5_000_000, stream: true, n: 64 }));
  await eventually(() => server.engine.running === 1);
  await eventually(() => server.engine.cancelled.length === 1);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /sluice_slow_readers_total\{transport="sse"\} 1/);
  socket.destroy();
});

test('a slow reader that catches up loses nothing', async () => {
  using server = await startTestServer({
    maxContext: 100_000,
    reply: () => 'y'.repeat(20_000),
    settings: { 'http.maxStreamBufferBytes': 64 * 2 ** 20 },
  });
  const socket = net.connect({ port: server.port, host: '127.0.0.1' });
  socket.pause();
  socket.write(request({ prompt: 'a', max_tokens: 50_000, stream: true, n: 4 }));
  await eventually(() => server.engine.requests.length === 1 && server.engine.running === 0);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).resume();
  await eventually(() => Buffer.concat(chunks.slice(-3)).includes('[DONE]'));
  const text = Buffer.concat(chunks).toString();
  assert.equal(text.match(/"text":"y"/g)?.length, 80_000);
  assert.equal(text.match(/\[DONE\]/g)?.length, 1);
  socket.destroy();
});

test('a silent stream carries comments, also before the first token', async () => {
  using server = await startTestServer({ delayMs: 350, settings: { 'http.pingIntervalMs': 100 } });
  const response = await server.post('/v1/completions', { prompt: 'a', max_tokens: 1, stream: true });
  const text = await response.text();
  assert.match(text, /^: ping\n\n/);
  assert.ok(
    text.split('\n\n').every((block) => block === '' || block === ': ping' || block.startsWith('data: ')),
  );
  assert.ok(text.endsWith('data: [DONE]\n\n'));
});

test('a stream that waited longer than the first ping still reports its failure', async () => {
  using server = await startTestServer({ delayMs: 150, settings: { 'http.pingIntervalMs': 100 } });
  server.engine.failNext = { code: 'deadline_exceeded', afterTokens: 0 };
  const response = await server.post('/v1/completions', { prompt: 'a', stream: true });
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.match(text, /data: \{"error":\{.*"code":"deadline_exceeded".*\}\}\n\ndata: \[DONE\]\n\n$/);
});
