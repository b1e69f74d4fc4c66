import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import { createLog } from '../../src/telemetry/log.js';
import { openTracing } from '../../src/telemetry/open-tracing.js';
import { noTracing } from '../../src/telemetry/trace.js';
import { Collector } from '../support/collector.js';
import { startTestServer } from '../support/server.js';
import { fails, StubUpstream, says } from '../support/upstream.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${PARENT}-01`;
/** Spans begin at whole milliseconds of the wall clock, and last as long as the monotonic one says. */
const CLOCK_NS = 1_000_000n;
const SECRET = 'xyzzy';

const settings = { otlpUrl: '', otlpHeaders: { 'x-token': 'abc' }, sampleShare: 1 };
const tracingTo = (collector: Collector, more: object = {}) =>
  openTracing({ ...settings, otlpUrl: collector.url, ...more }, {}, createLog('silent'));

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

const modelsOf = (upstream: StubUpstream, spec: object = {}) => [
  { id: 'up', upstream: { url: upstream.url, probeIntervalMs: 0, retries: 0 }, ...spec },
];

test('each stage of a request is a span of its client’s trace, and no text is among them', async () => {
  await using collector = await Collector.start();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tracing-'));
  const tracing = await tracingTo(collector);
  const server = await startTestServer({ tracing, dataFolder: folder, reply: () => `${SECRET}-reply` });
  const made = await server.post('/admin/keys', { name: 'app', organisation: 'acme' });
  const { id, key } = (await made.json()) as { id: string; key: string };
  const body = { prompt: SECRET, max_tokens: 40, temperature: 0.25, seed: 7 };
  const answer = await server.post('/v1/completions', body, {
    headers: { authorization: `Bearer ${key}`, traceparent },
  });
  assert.equal(answer.status, 200);
  const said = (await answer.json()) as { id: string; usage: Usage };
  await tracing.close();
  await server.close();
  rmSync(folder, { recursive: true });

  const root = collector.span('POST /v1/completions');
  assert.equal(root.traceId, TRACE);
  assert.equal(root.parentSpanId, PARENT);
  assert.equal(root.kind, 2);
  assert.equal(root.attributes['http.response.status_code'], 200);
  assert.equal(root.attributes['sluice.key.id'], id);
  assert.equal(root.attributes['sluice.tenant'], 'acme');
  assert.deepEqual(collector.childrenOf(root).sort(), [
    'auth',
    'cache',
    'limits',
    'resolve',
    'settle',
    'text_completion stub',
  ]);
  const model = collector.span('text_completion stub');
  assert.deepEqual(collector.childrenOf(model).sort(), ['decode', 'prefill', 'tokenize']);
  assert.deepEqual(model.attributes, {
    'gen_ai.operation.name': 'text_completion',
    'gen_ai.provider.name': 'sluice',
    'gen_ai.request.model': 'stub',
    'gen_ai.request.max_tokens': 40,
    'gen_ai.request.temperature': 0.25,
    'gen_ai.request.top_p': 1,
    'gen_ai.request.seed': 7,
    'gen_ai.output.type': 'text',
    'gen_ai.response.id': said.id,
    'gen_ai.response.model': 'stub',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': said.usage.prompt_tokens,
    'gen_ai.usage.output_tokens': said.usage.completion_tokens,
    'gen_ai.usage.cache_read.input_tokens': said.usage.prompt_tokens_details.cached_tokens,
    'sluice.stream': false,
  });
  for (const { traceId, startNs, endNs } of collector.spans) {
    if (traceId !== TRACE) continue; // the making of the key
    assert.ok(startNs >= root.startNs && endNs <= root.endNs + CLOCK_NS && startNs <= endNs);
  }
  assert.ok(collector.span('prefill').endNs <= collector.span('decode').startNs + CLOCK_NS);
  assert.doesNotMatch(collector.text, new RegExp(SECRET));
  assert.deepEqual([...new Set(collector.paths)], ['/v1/traces']);
  assert.equal(collector.headers[0]!['x-token'], 'abc');
});

test('an upstream works under the span of its try; a failed one tells its error', async () => {
  await using collector = await Collector.start();
  await using upstream = await StubUpstream.start(fails(500), says('Hello there'));
  const tracing = await tracingTo(collector);
  using server = await startTestServer({
    tracing,
    withoutEngine: true,
    settings: { 'routing.models': modelsOf(upstream) },
  });
  const ask = () => server.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'hi' }] });
  assert.equal((await ask()).status, 502);
  assert.equal((await ask()).status, 200);
  await tracing.close();

  const [failed, answered] = collector.spans.filter(({ name }) => name === 'chat up');
  assert.equal(failed!.isError, true);
  assert.equal(failed!.attributes['error.type'], 'upstream_failed');
  assert.equal(answered!.isError, false);
  assert.equal(answered!.kind, 3);
  assert.equal(answered!.attributes['server.address'], '127.0.0.1');
  assert.equal(answered!.attributes['gen_ai.usage.input_tokens'], 7);
  assert.notEqual(failed!.traceId, answered!.traceId);
  for (const [index, span] of [failed, answered].entries()) {
    assert.equal(upstream.calls[index]!.headers.traceparent, `00-${span!.traceId}-${span!.spanId}-01`);
  }
  const roots = collector.spans.filter(({ kind }) => kind === 2);
  assert.deepEqual(
    roots.map(({ isError }) => isError),
    [true, false],
  );
});

test('the wait for a model is a span, and a socket’s generations are traced too', async () => {
  await using collector = await Collector.start();
  await using upstream = await StubUpstream.start(says('one two'));
  const tracing = await tracingTo(collector);
  using server = await startTestServer({
    tracing,
    withoutEngine: true,
    settings: { 'routing.models': modelsOf(upstream, { maxRunning: 1 }) },
  });
  const client = await SluiceClient.connect(`ws://127.0.0.1:${server.port}`, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });
  const request = { messages: [{ role: 'user' as const, content: 'hi' }] };
  const results = [client.chat(request), client.chat(request)].map(({ done }) => done);
  await Promise.all(results);
  client.close();
  await tracing.close();
  const queue = collector.span('queue');
  const root = collector.spans.find(({ spanId }) => spanId === queue.parentSpanId)!;
  assert.equal(root.name, 'generate');
  assert.deepEqual(collector.childrenOf(root).sort(), ['chat up', 'limits', 'queue', 'resolve', 'settle']);
});

test('a client that doesn’t trace its request is obeyed; a share of the others is traced', async () => {
  await using collector = await Collector.start();
  await using upstream = await StubUpstream.start(says('Hello'));
  const tracing = await tracingTo(collector, { sampleShare: 0 });
  using server = await startTestServer({
    tracing,
    withoutEngine: true,
    settings: { 'routing.models': modelsOf(upstream) },
  });
  const ask = (headers: Record<string, string>) =>
    server.post('/v1/completions', { prompt: 'hi' }, { headers });
  await ask({});
  await ask({ traceparent: `00-${TRACE}-${PARENT}-00` });
  await ask({ traceparent });
  await tracing.close();
  assert.deepEqual([...new Set(collector.spans.map(({ traceId }) => traceId))], [TRACE]);
  assert.equal(collector.spans.filter(({ kind }) => kind === 2).length, 1);
  assert.match(String(upstream.calls[1]!.headers.traceparent), new RegExp(`^00-${TRACE}-.*-00$`));
});

test('without a collector nothing is traced, and what a client traces goes through as it is', async () => {
  assert.equal(await openTracing(settings, {}, createLog('silent')), noTracing);
  const named = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
  const turnedOn = await openTracing(settings, named, createLog('silent'));
  assert.notEqual(turnedOn, noTracing);
  const lost = turnedOn.start('lost', new Map());
  lost.end();
  await turnedOn.close(); // nobody listens there: no reason to fail
  const turnedOff = { ...named, OTEL_SDK_DISABLED: 'true' };
  assert.equal(await openTracing(settings, turnedOff, createLog('silent')), noTracing);

  await using upstream = await StubUpstream.start(says('Hello'));
  using server = await startTestServer({
    withoutEngine: true,
    settings: { 'routing.models': modelsOf(upstream) },
  });
  const headers = { traceparent, tracestate: 'vendor=1' };
  await server.post('/v1/completions', { prompt: 'hi' }, { headers });
  await server.post('/v1/completions', { prompt: 'hi' });
  const [first, second] = upstream.calls;
  assert.equal(first!.headers.traceparent, traceparent);
  assert.equal(first!.headers.tracestate, 'vendor=1');
  assert.equal(second!.headers.traceparent, undefined);
});
