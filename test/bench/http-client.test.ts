import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { dialects } from '../../bench/client/dialects.js';
import { HttpClient } from '../../bench/client/http.js';
import { runLoad } from '../../bench/workload/run-load.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function stub(t: TestContext, handler: Handler): Promise<string> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => handler(request, response, Buffer.concat(parts).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(t: TestContext, url: string, dialect: keyof typeof dialects = 'completions'): HttpClient {
  const created = new HttpClient({
    url,
    dialect: dialects[dialect],
    model: 'm',
    apiKey: 'k',
    timeoutMs: 10_000,
  });
  t.after(() => created.close());
  return created;
}

const plan = (maxTokens: number) => ({ prompt: [1, 2, 3], maxTokens, cancel: null });
const data = (payload: object) => `data: ${JSON.stringify(payload)}\n\n`;

function streamCompletion(response: ServerResponse, texts: string[], usage: object | null): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const text of texts) response.write(data({ choices: [{ index: 0, text }] }));
  if (usage !== null) response.write(data({ choices: [], usage }));
  response.end('data: [DONE]\n\n');
}

test('a completion stream becomes a trace; empty messages are no tokens', async (t) => {
  let seen: unknown;
  const url = await stub(t, (request, response, body) => {
    seen = { ...JSON.parse(body), authorization: request.headers.authorization };
    const usage = { completion_tokens: 3, prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 8 } };
    streamCompletion(response, ['', 'a', '', 'b'], usage);
  });
  const times: number[] = [];
  const trace = await client(t, url).generate(plan(3), (atMs) => times.push(atMs));
  assert.deepEqual(seen, {
    model: 'm',
    prompt: [1, 2, 3],
    max_tokens: 3,
    temperature: 0,
    ignore_eos: true,
    stream: true,
    stream_options: { include_usage: true },
    authorization: 'Bearer k',
  });
  assert.equal(trace.outcome, 'finished');
  assert.deepEqual([trace.outputTokens, trace.promptTokens, trace.cachedTokens], [3, 9, 8]);
  assert.equal(trace.tokenAtMs.length, 2);
  assert.deepEqual(times, trace.tokenAtMs);
});

test("llama-server's own stream becomes a trace", async (t) => {
  const url = await stub(t, (request, response) => {
    assert.equal(request.url, '/completion');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(data({ content: 'a', stop: false }));
    response.end(data({ content: '', stop: true, tokens_predicted: 1, tokens_evaluated: 3 }));
  });
  const trace = await client(t, url, 'native').generate(plan(1));
  assert.deepEqual([trace.outcome, trace.outputTokens, trace.promptTokens], ['finished', 1, 3]);
});

test('each way to fail has its kind', async (t) => {
  const failures: Record<string, Handler> = {
    http_429: (_, response) => response.writeHead(429).end('{}'),
    truncated: (_, response) => response.writeHead(200).end(data({ choices: [{ text: 'a' }] })),
    ended_twice: (_, response) => response.writeHead(200).end('data: [DONE]\n\ndata: [DONE]\n\n'),
    wrong_token_count: (_, response) => streamCompletion(response, ['a'], { completion_tokens: 1 }),
    stream_engine_failed: (_, response) =>
      response.writeHead(200).end(`${data({ error: { code: 'engine_failed' } })}data: [DONE]\n\n`),
    malformed_stream: (_, response) => response.writeHead(200).end('data: {oops\n\n'),
  };
  for (const [kind, handler] of Object.entries(failures)) {
    const trace = await client(t, await stub(t, handler)).generate(plan(3));
    assert.deepEqual([trace.outcome, trace.error], ['failed', kind]);
  }
});

test('a stream cut off in its middle has failed', async (t) => {
  const url = await stub(t, (_, response) => {
    response.writeHead(200);
    response.write(data({ choices: [{ text: 'a' }] }), () => response.destroy());
  });
  const trace = await client(t, url).generate(plan(3));
  assert.equal(trace.outcome, 'failed');
  assert.equal(trace.tokenAtMs.length, 1);
});

test('a cancelled request ends the connection', async (t) => {
  let closed = () => {};
  const serverSawClose = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const url = await stub(t, (_, response) => {
    response.on('close', closed);
    response.writeHead(200);
    response.write(data({ choices: [{ text: 'a' }] }));
  });
  const abort = new AbortController();
  const trace = await client(t, url).generate({ ...plan(3), cancel: abort.signal }, () => abort.abort());
  assert.deepEqual([trace.outcome, trace.error], ['cancelled', null]);
  await serverSawClose;
});

test('a connection that the server closed behind our back is replaced', async (t) => {
  const url = await stub(t, (_, response) => {
    const { socket } = response;
    streamCompletion(response, ['a'], { completion_tokens: 1 });
    response.on('finish', () => setImmediate(() => socket?.destroy()));
  });
  const http = client(t, url);
  for (let request = 0; request < 20; request++) {
    const trace = await http.generate(plan(1));
    assert.deepEqual([trace.outcome, trace.error], ['finished', null], `request ${request}`);
  }
});

test('a closed loop keeps its clients busy and sends what it was asked to', async (t) => {
  let running = 0;
  let most = 0;
  const url = await stub(t, (_, response) => {
    most = Math.max(most, ++running);
    setImmediate(() => {
      running--;
      streamCompletion(response, ['a', 'b'], { completion_tokens: 2 });
    });
  });
  const result = await runLoad(client(t, url), () => plan(2), {
    shape: { kind: 'closed', clients: 4 },
    requests: 40,
    durationMs: 60_000,
  });
  assert.equal(result.traces.filter((trace) => trace.outcome === 'finished').length, 40);
  assert.ok(most <= 4);
});

test('an open loop skips arrivals beyond its bound instead of delaying them', async (t) => {
  const held: ServerResponse[] = [];
  const url = await stub(t, (_, response) => {
    held.push(response);
    if (held.length === 2) for (const one of held) streamCompletion(one, ['a'], { completion_tokens: 1 });
  });
  const result = await runLoad(client(t, url), () => plan(1), {
    shape: { kind: 'open', arrivalsMs: [0, 0, 0, 0, 0][Symbol.iterator](), maxInFlight: 2 },
    requests: 5,
    durationMs: 60_000,
  });
  assert.equal(result.traces.length, 2);
  assert.equal(result.skippedArrivals, 3);
});
