import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayRole } from '../../src/cluster/gateway/role.js';
import { CALM, startTestGateway, startTestWorker, type TestGateway } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { sseEvents } from '../support/server.js';
import { streamCompletion } from '../support/stream-client.js';

for (const cluster of [false, true]) {
  test(`over ${cluster ? 'Redis Cluster' : 'one Redis'} a gateway without a model answers, whole and as a stream`, async () => {
    const redis = await startRedis({ cluster });
    const settings = { 'redis.isCluster': cluster };
    const worker = await startTestWorker(redis, { settings });
    const gateway = await startTestGateway(redis, settings);
    try {
      assert.equal(await answered(gateway, { prompt: 'abc', max_tokens: 7 }), 'abcabca');
      assert.equal(await answered(gateway, { prompt: 'x'.repeat(1000), max_tokens: 3 }), 'xxx');
      const seen = await streamCompletion(gateway.port, { prompt: 'hi', max_tokens: 20 });
      assert.deepEqual(seen, { end: 'complete', text: 'hi'.repeat(10), completionTokens: 20 });
    } finally {
      await gateway.close();
      await worker.close();
      await redis.close();
    }
  });
}

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.close());

/** A test's own model, so that nothing of others is in its queue. */
let models = 0;
const newModel = () => `stub-${models++}`;

async function answered(gateway: TestGateway, body: object): Promise<string> {
  const response = await gateway.post('/v1/completions', body);
  const answer = (await response.json()) as { choices: { text: string }[] };
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.choices[0]!.text;
}

/** What an engine was asked for, but for its worker's warm-up. */
const asked = ({ engine }: Awaited<ReturnType<typeof startTestWorker>>) =>
  engine.requests.filter(({ id }) => id !== 'warm-up');

const queueLength = (model: string, priority = 1) =>
  Number(redis.cli('XLEN', `sluice:{model:${model}}:work:${priority}`));

async function withCluster(
  options: Parameters<typeof startTestWorker>[1] & { gateway?: Record<string, unknown> },
  use: (parts: {
    model: string;
    gateway: TestGateway;
    worker: Awaited<ReturnType<typeof startTestWorker>>;
    role: GatewayRole;
  }) => Promise<void>,
): Promise<void> {
  const model = newModel();
  const { gateway: settings, ...rest } = options;
  const worker = await startTestWorker(redis, {
    modelId: model,
    ...rest,
    settings: { ...CALM, ...rest.settings },
  });
  const gateway = await startTestGateway(redis, { 'routing.default': model, ...CALM, ...settings });
  try {
    await use({ model, gateway, worker, role: gateway.role });
  } finally {
    await gateway.close();
    await worker.close();
  }
}

test('what a model refuses, and log-probabilities and echo, are as from a model in the process', async () => {
  await withCluster({}, async ({ gateway }) => {
    const refused = await gateway.post('/v1/completions', { prompt: 'x'.repeat(3000) });
    assert.equal(refused.status, 400);
    assert.equal(
      ((await refused.json()) as { error: { code: string } }).error.code,
      'context_length_exceeded',
    );
    const body = { prompt: 'ab', max_tokens: 2, echo: true, logprobs: 1 };
    const answer = (await (await gateway.post('/v1/completions', body)).json()) as {
      choices: { text: string; logprobs: { tokens: string[] } }[];
    };
    assert.equal(answer.choices[0]!.text, 'abab');
    assert.deepEqual(answer.choices[0]!.logprobs.tokens.slice(-2), ['a', 'b']);
  });
});

test('tool calls are read at the worker', async () => {
  await withCluster({ reply: () => 'CALL weather {"city": "Rome"}' }, async ({ gateway }) => {
    const response = await gateway.post('/v1/chat/completions', {
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
      stream: true,
    });
    const events = (await sseEvents(response)) as { choices: { delta: { tool_calls?: object[] } }[] }[];
    const calls = events.flatMap(
      ({ choices }) => choices?.flatMap(({ delta }) => delta.tool_calls ?? []) ?? [],
    );
    assert.ok(JSON.stringify(calls).includes('weather'));
  });
});

test('a worker takes no more than its engine can run; the rest waits in the queue, the urgent first', async () => {
  const settings = { 'engine.maxSequences': 2 };
  await withCluster({ settings }, async ({ gateway, worker, model }) => {
    worker.engine.hold();
    const body = (prompt: string) => ({ prompt, max_tokens: 6 });
    const first = ['a', 'b', 'c', 'd'].map((prompt) => answered(gateway, body(prompt)));
    await eventually(() => queueLength(model) === 4);
    await eventually(() => worker.engine.running === 2);
    const urgent = answered(gateway, { ...body('u'), priority: 0 });
    await eventually(() => queueLength(model, 0) === 1);
    worker.engine.release();
    await Promise.all([...first, urgent]);
    const order = asked(worker).map(({ prompt }) => String.fromCharCode(prompt.at(-1)!));
    assert.equal(order.indexOf('u'), 2, `served in the order ${order}`);
    assert.equal(queueLength(model), 0);
  });
});

test('a client that goes away is forgotten: by the worker at once, and in the queue before it is computed', async () => {
  const settings = { 'engine.maxSequences': 1 };
  await withCluster({ delayMs: 10, settings }, async ({ gateway, worker, model }) => {
    const running = new AbortController();
    const waiting = new AbortController();
    const ask = (prompt: string, { signal }: AbortController) =>
      gateway.post('/v1/completions', { prompt, max_tokens: 1000 }, { signal }).catch(() => 'gone');
    const answers = [ask('r', running)];
    await eventually(() => worker.engine.running === 1);
    answers.push(ask('w', waiting));
    await eventually(() => queueLength(model) === 2);
    waiting.abort();
    await eventually(() => queueLength(model) === 1);
    running.abort();
    await eventually(() => worker.engine.running === 0);
    assert.deepEqual(await Promise.all(answers), ['gone', 'gone']);
    await eventually(() => queueLength(model) === 0);
    await delay(50);
    assert.equal(asked(worker).length, 1, 'what waited was never computed');
  });
});

test('who waits too long is told so, and is no work for anybody any more', async () => {
  const settings = { 'engine.maxSequences': 1 };
  const gateway = { 'routing.waitTimeoutMs': 1_000 }; // the first begins sooner
  await withCluster({ settings, gateway }, async ({ gateway, worker, model }) => {
    worker.engine.hold();
    const running = answered(gateway, { prompt: 'r', max_tokens: 5 });
    await eventually(() => worker.engine.running === 1);
    const late = await gateway.post('/v1/completions', { prompt: 'w', max_tokens: 1 });
    assert.equal(((await late.json()) as { error: { code: string } }).error.code, 'inference_timeout');
    assert.ok(Number(late.headers.get('retry-after')) >= 1);
    worker.engine.release();
    await running;
    await eventually(() => queueLength(model) === 0);
    assert.equal(asked(worker).length, 1);
  });
});

test('a full queue refuses at once', async () => {
  const settings = { 'engine.maxSequences': 1 };
  const gateway = { 'cluster.maxWaiting': 1 };
  await withCluster({ settings, gateway }, async ({ gateway, worker, model }) => {
    worker.engine.hold();
    const running = answered(gateway, { prompt: 'r', max_tokens: 5 });
    await eventually(() => worker.engine.running === 1);
    const waiting = answered(gateway, { prompt: 'w', max_tokens: 1 });
    await eventually(() => queueLength(model) === 2);
    const refused = await gateway.post('/v1/completions', { prompt: 'x' });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    worker.engine.release();
    await Promise.all([running, waiting]);
  });
});

test('an engine that fails is asked no more than a few times; what nobody can finish is a dead letter', async () => {
  await withCluster({ gateway: { 'cluster.maxAttempts': 2 } }, async ({ gateway, worker, model }) => {
    worker.engine.failNext = { code: 'engine_failed', afterTokens: 3 };
    assert.equal(await answered(gateway, { prompt: 'ab', max_tokens: 8 }), 'abababab');
    const [first, second] = asked(worker);
    assert.equal(first?.resumed, undefined);
    assert.deepEqual(
      second?.resumed?.map(({ tokens }) => String.fromCharCode(...tokens)),
      ['aba'],
    );

    worker.engine.failNext = { code: 'engine_failed', afterTokens: 1 };
    worker.engine.alwaysFails = true;
    const answer = await gateway.post('/v1/completions', { prompt: 'xy', max_tokens: 8 });
    assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'engine_failed');
    await eventually(() => redis.cli('XLEN', `sluice:{model:${model}}:dead`) === '1');
  });
});

test('a worker that is stopped hands over what it is at', async () => {
  await withCluster({ delayMs: 10 }, async ({ gateway, worker, model }) => {
    const before = worker.engine.stats().generatedTokens;
    const text = answered(gateway, { prompt: 'abcd', max_tokens: 80 });
    await eventually(() => worker.engine.stats().generatedTokens > before + 4);
    worker.engine.hold();
    const next = await startTestWorker(redis, { modelId: model, delayMs: 1 });
    await worker.role.drain(0);
    assert.equal(await text, 'abcd'.repeat(20));
    assert.ok((asked(next)[0]?.resumed?.[0]?.tokens.length ?? 0) > 0, 'it went on, not from the start');
    await next.close();
  });
});

test('what a worker took and never said so, before it died, goes to another', async () => {
  const settings = { 'engine.maxSequences': 1 };
  const patience = { 'routing.waitTimeoutMs': 10_000 };
  await withCluster({ delayMs: 10, settings, gateway: patience }, async ({ gateway, worker, model }) => {
    const stop = new AbortController();
    const body = { prompt: 'r', max_tokens: 2000 };
    const running = gateway.post('/v1/completions', body, { signal: stop.signal }).catch(() => 'gone');
    await eventually(() => worker.engine.running === 1);
    const taken = answered(gateway, { prompt: 'ab', max_tokens: 4 });
    await eventually(() => queueLength(model) === 2);
    const keys = `sluice:{model:${model}}`;
    redis.cli('XREADGROUP', 'GROUP', 'workers', 'dead', 'COUNT', '1', 'STREAMS', `${keys}:work:1`, '>');
    redis.cli('ZADD', `${keys}:leases`, '1', 'dead');
    stop.abort();
    assert.equal(await running, 'gone');
    assert.equal(await taken, 'abab');
    await eventually(() => redis.cli('ZSCORE', `${keys}:leases`, 'dead') === '');
  });
});
