import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { SluiceClient } from '../../src/client/index.js';
import type { ModelSpec } from '../../src/config/index.js';
import { eventually } from '../support/eventually.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';
import { StubEngine, type StubEngineOptions } from '../support/stub-engine.js';
import { StubText } from '../support/stub-text.js';
import { StubUpstream } from '../support/upstream.js';

/** Loads scripted engines; `ref` is what they say. Each takes 1 MiB + 1 byte, as the stub engine states it. */
class StubLoader {
  readonly engines: StubEngine[] = [];
  readonly closed: string[] = [];
  /** Waited for by load(). */
  gate: Promise<void> = Promise.resolve();
  readonly #options: StubEngineOptions;

  constructor(options: StubEngineOptions = {}) {
    this.#options = options;
  }

  async load(spec: ModelSpec) {
    await this.gate;
    if (spec.ref === 'broken') throw new Error('no such file');
    const engine = new StubEngine({ modelId: spec.id, reply: () => spec.ref!, ...this.#options });
    const close = engine.close.bind(engine);
    engine.close = async () => {
      this.closed.push(spec.ref!);
      await close();
    };
    this.engines.push(engine);
    return { id: spec.id, revision: spec.ref!, engine, text: new StubText() };
  }

  async estimateBytes() {
    return 2 ** 20;
  }
}

function admin(server: TestServer, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${server.url}/admin/${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
  });
}

async function complete(server: TestServer, model: string, more: object = {}) {
  const response = await server.post('/v1/completions', { model, prompt: 'a', max_tokens: 3, ...more });
  const body = (await response.json()) as {
    choices: { text: string }[];
    error: { code: string; message: string };
  };
  return { status: response.status, text: body.choices?.[0]?.text, error: body.error };
}

test('a model is loaded, served, listed and unloaded while the server runs', async () => {
  const loader = new StubLoader();
  using server = await startTestServer({ loader });
  const loaded = await admin(server, 'POST', 'models', { id: 'second', ref: 'two', aliases: ['other'] });
  assert.equal(loaded.status, 200);
  assert.equal(((await loaded.json()) as { state: string }).state, 'ready');
  assert.equal((await complete(server, 'second')).text, 'two');
  assert.equal((await complete(server, 'other')).text, 'two');
  assert.equal((await fetch(`${server.url}/readyz/second`)).status, 200);
  const list = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
  assert.deepEqual(
    list.data.map(({ id }) => id),
    ['stub', 'second'],
  );
  assert.equal((await server.post('/tokenize', { model: 'other', content: 'ab' })).status, 200);
  assert.match(await (await fetch(`${server.url}/metrics`)).text(), /sluice_steps_total\{model="second"\}/);
  assert.equal((await admin(server, 'DELETE', 'models/second')).status, 200);
  assert.equal((await complete(server, 'second')).status, 404);
  assert.deepEqual(loader.closed, ['two']);
  assert.equal((await complete(server, 'stub')).status, 200);
});

test('names are unique, and a model that can’t be loaded isn’t kept', async () => {
  using server = await startTestServer({ loader: new StubLoader() });
  assert.equal((await admin(server, 'POST', 'models', { id: 'stub', ref: 'x' })).status, 409);
  assert.equal((await admin(server, 'POST', 'models', { id: 'y', ref: 'x', aliases: ['stub'] })).status, 409);
  assert.equal((await admin(server, 'POST', 'models', { id: 'y', ref: 'broken' })).status, 500);
  assert.equal((await complete(server, 'y')).status, 404);
  const neither = await admin(server, 'POST', 'models', { id: 'y' });
  assert.equal(neither.status, 400);
  assert.equal((await admin(server, 'DELETE', 'models/nobody')).status, 404);
});

test('unloading waits for the streams that run', async () => {
  const loader = new StubLoader({ delayMs: 1 });
  using server = await startTestServer({ loader });
  await admin(server, 'POST', 'models', { id: 'second', ref: 'x'.repeat(200) });
  const stream = await server.post('/v1/completions', {
    model: 'second',
    prompt: 'a',
    stream: true,
    max_tokens: 100,
  });
  const removal = admin(server, 'DELETE', 'models/second');
  await eventually(async () => (await complete(server, 'second')).status === 404);
  assert.deepEqual(loader.closed, []);
  assert.equal((await sseEvents(stream)).length, 102, '100 tokens, the finish, [DONE]');
  assert.equal((await removal).status, 200);
  assert.equal(loader.closed.length, 1);
});

test('an update drops no stream: the old model ends what it began, the new one takes what comes', async () => {
  const loader = new StubLoader({ delayMs: 1 });
  using server = await startTestServer({ loader });
  const old = 'o'.repeat(100);
  await admin(server, 'POST', 'models', { id: 'second', ref: old });
  const stream = await server.post('/v1/completions', {
    model: 'second',
    prompt: 'a',
    stream: true,
    max_tokens: 100,
  });
  let open: () => void = () => undefined;
  loader.gate = new Promise((resolve) => {
    open = resolve;
  });
  const update = admin(server, 'PUT', 'models/second', { id: 'second', ref: 'new', aliases: ['fresh'] });
  assert.equal(
    (await complete(server, 'second')).text,
    'ooo',
    'served by the old one while the new one loads',
  );
  open();
  assert.equal((await update).status, 200);
  assert.deepEqual(loader.closed, [], 'the old one still streams');
  assert.equal((await complete(server, 'fresh')).text, 'new');
  const events = (await sseEvents(stream)) as { choices?: { text: string }[] }[];
  assert.equal(events.flatMap(({ choices }) => choices?.map(({ text }) => text) ?? []).join(''), old);
  await eventually(() => loader.closed.length === 1);
  assert.equal((await complete(server, 'second')).text, 'new');
});

test('the new engine of an update is warm before it is asked', async () => {
  const loader = new StubLoader();
  using server = await startTestServer({ loader });
  await admin(server, 'POST', 'models', { id: 'second', ref: 'x' });
  assert.deepEqual(
    loader.engines[0]!.requests.map(({ id }) => id),
    ['warm-up'],
  );
});

test('memory: idle models make room, the longest unused first; they are loaded again when asked for', async () => {
  const loader = new StubLoader();
  const settings = { 'routing.maxModelBytes': 3 * (2 ** 20 + 1) };
  using server = await startTestServer({ loader, settings });
  await admin(server, 'POST', 'models', { id: 'b', ref: 'bee' });
  await admin(server, 'POST', 'models', { id: 'c', ref: 'sea' });
  assert.equal((await complete(server, 'stub')).status, 200);
  await admin(server, 'POST', 'models', { id: 'd', ref: 'dee' });
  assert.deepEqual(loader.closed, ['bee']);
  assert.equal((await fetch(`${server.url}/readyz/b`)).status, 503);
  assert.equal((await complete(server, 'b')).text, 'bee');
  assert.deepEqual(loader.closed, ['bee', 'sea']);
});

test('memory: what is pinned or at work is not unloaded', async () => {
  const loader = new StubLoader({ delayMs: 5 });
  const settings = {
    'routing.maxModelBytes': 2 * (2 ** 20 + 1),
    'routing.models': [{ id: 'b', ref: 'bee', pinned: true }],
  };
  using server = await startTestServer({ loader, settings, delayMs: 5 });
  const running = server.post('/v1/completions', { model: 'stub', prompt: 'a', max_tokens: 50 });
  await eventually(() => server.engine.running === 1);
  const refused = await admin(server, 'POST', 'models', { id: 'c', ref: 'sea' });
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /no room for c/);
  assert.equal((await running).status, 200);
});

test('a model that isn’t preloaded is loaded once, by the first who ask', async () => {
  const loader = new StubLoader();
  using server = await startTestServer({
    loader,
    settings: { 'routing.models': [{ id: 'lazy', ref: 'zzz', preload: false }] },
  });
  assert.equal(loader.engines.length, 0);
  const answers = await Promise.all([
    complete(server, 'lazy'),
    complete(server, 'lazy'),
    complete(server, 'lazy'),
  ]);
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['zzz', 'zzz', 'zzz'],
  );
  assert.equal(loader.engines.length, 1);
});

test('a model that fails to load isn’t tried again at once, and what went wrong is shown', async () => {
  const loader = new StubLoader();
  using server = await startTestServer({
    loader,
    settings: { 'routing.models': [{ id: 'lazy', ref: 'broken', preload: false }] },
  });
  assert.equal((await complete(server, 'lazy')).status, 500);
  const again = await complete(server, 'lazy');
  assert.equal(again.status, 503);
  assert.match(again.error.message, /failed to load/);
  assert.equal((await complete(server, 'lazy', { fallbacks: ['stub'] })).status, 200);
  const listed = await (await admin(server, 'GET', 'models')).text();
  assert.match(listed, /"state":"failed"/);
});

test('the queue: so many run, the order is by priority, the state is shown', async () => {
  const loader = new StubLoader({ delayMs: 2 });
  const models = [{ id: 'narrow', ref: 'x'.repeat(500), maxRunning: 1, maxWaiting: 2 }];
  using server = await startTestServer({ loader, settings: { 'routing.models': models } });
  const abort = new AbortController();
  const first = server.post(
    '/v1/completions',
    { model: 'narrow', prompt: 'a', max_tokens: 400 },
    { signal: abort.signal },
  );
  await eventually(() => loader.engines[0]!.running === 1);
  const order: string[] = [];
  const later = (name: string, priority: number) =>
    complete(server, 'narrow', { priority, prompt: name }).then(() => order.push(name));
  const low = later('low', 5);
  const queue = async () => {
    const { data } = (await (await admin(server, 'GET', 'queue')).json()) as {
      data: { model: string; running: number; waiting: { priority: number; position: number }[] }[];
    };
    return data.find(({ model }) => model === 'narrow')!;
  };
  await eventually(async () => (await queue()).waiting.length === 1);
  const high = later('high', 0);
  await eventually(async () => (await queue()).waiting.length === 2);
  assert.deepEqual(
    (await queue()).waiting.map(({ priority, position }) => [priority, position]),
    [
      [0, 1],
      [5, 2],
    ],
  );
  const refused = await complete(server, 'narrow');
  assert.equal(refused.status, 429);
  assert.equal(refused.error.code, 'queue_full');
  abort.abort();
  await assert.rejects(first);
  await Promise.all([low, high]);
  assert.deepEqual(order, ['high', 'low']);
});

test('the queue: waiting too long is 504 inference_timeout, and what was cancelled is never computed', async () => {
  const loader = new StubLoader({ delayMs: 2 });
  const models = [{ id: 'narrow', ref: 'x'.repeat(5000), maxRunning: 1 }];
  using server = await startTestServer({
    loader,
    settings: { 'routing.models': models, 'routing.waitTimeoutMs': 50 },
  });
  const abort = new AbortController();
  const first = server.post(
    '/v1/completions',
    { model: 'narrow', prompt: 'a', max_tokens: 2000 },
    { signal: abort.signal },
  );
  await eventually(() => loader.engines[0]!.running === 1);
  const late = await complete(server, 'narrow');
  assert.equal(late.status, 504);
  assert.equal(late.error.code, 'inference_timeout');
  const computed = loader.engines[0]!.requests.length;
  abort.abort();
  await assert.rejects(first);
  await eventually(() => loader.engines[0]!.running === 0);
  assert.equal(loader.engines[0]!.requests.length, computed);
});

test('the queue: a WebSocket hears its place, and a cancel while it waits ends it', async () => {
  const loader = new StubLoader({ delayMs: 2 });
  const models = [{ id: 'narrow', ref: 'x'.repeat(3000), maxRunning: 1 }];
  using server = await startTestServer({ loader, settings: { 'routing.models': models } });
  const client = await SluiceClient.connect(server.url, { WebSocket: WebSocket as never });
  const first = client.complete({ model: 'narrow', prompt: 'a', max_tokens: 2000 });
  await eventually(() => loader.engines[0]!.running === 1);
  const second = client.complete({ model: 'narrow', prompt: 'b', max_tokens: 5 });
  const third = client.complete({ model: 'narrow', prompt: 'c', max_tokens: 5 });
  await eventually(() => third.queued !== null);
  assert.equal(second.queued!.position, 1);
  assert.equal(third.queued!.position, 2);
  third.cancel();
  assert.equal((await third.done).choices[0]!.finish_reason, 'cancelled');
  first.cancel();
  assert.equal(await second.text(), 'xxxxx');
  assert.deepEqual(
    loader.engines[0]!.requests.map(({ prompt }) => prompt.at(-1)).slice(1),
    [97, 98],
    'the cancelled one never reached the engine',
  );
  client.close();
});

test('probes: an upstream that answers 500 is taken out, and back in when it recovers', async () => {
  await using upstream = await StubUpstream.start();
  upstream.health = 500;
  const spec = { id: 'up', upstream: { url: upstream.url, probeIntervalMs: 1 } };
  using server = await startTestServer({
    withoutEngine: true,
    settings: { 'routing.models': [spec], 'routing.breakerCooldownMs': 3_600_000 },
  });
  await eventually(async () => (await fetch(`${server.url}/readyz/up`)).status === 503);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503);
  assert.equal((await complete(server, 'up')).error.code, 'no_healthy_models');
  upstream.health = 404;
  await eventually(async () => (await complete(server, 'up')).status === 200);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
});
