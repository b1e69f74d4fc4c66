import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLog } from '../../src/telemetry/log.js';
import { openTracing } from '../../src/telemetry/open-tracing.js';
import {
  CALM,
  startTestGateway,
  startTestWorker,
  type TestGateway,
  type TestWorker,
} from '../support/cluster.js';
import { Collector } from '../support/collector.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { StubEmbedder } from '../support/stub-embedder.js';

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.close());

/** Each test has its own keys, so that nothing of others is in its queues. */
let deployments = 0;
const ownKeys = () => ({ 'redis.keyPrefix': `calls-${deployments++}`, ...CALM });

async function json(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}

async function closeAll(...parts: { close(): Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.close();
}

test('a gateway tokenises, detokenises and shows models as a server does that has them', async () => {
  const settings = ownKeys();
  const worker = await startTestWorker(redis, { settings });
  const gateway = await startTestGateway(redis, settings);
  try {
    const tokens = await json(gateway.post('/tokenize', { content: 'ab', with_pieces: true }));
    assert.deepEqual(tokens.tokens, [
      { id: 256, piece: '<bos>' },
      { id: 97, piece: 'a' },
      { id: 98, piece: 'b' },
    ]);
    assert.equal(tokens.max_model_len, 2048);
    const text = await json(gateway.post('/detokenize', { tokens: [104, 105] }));
    assert.deepEqual(text, { content: 'hi' });
    assert.equal((await gateway.post('/detokenize', { tokens: [9999] })).status, 400);
    assert.equal((await gateway.post('/tokenize', { content: 'a', model: 'other' })).status, 404);
    const card = await json(fetch(`${gateway.url}/v1/models/stub`));
    assert.equal((card.meta as { vocab_size: number }).vocab_size, 258);
  } finally {
    await closeAll(gateway, worker);
  }
});

test('without a worker that lives, a call is refused within some leases, with a time to come back', async () => {
  const settings = ownKeys();
  const worker = await startTestWorker(redis, { settings });
  const gateway = await startTestGateway(redis, settings);
  try {
    await worker.close();
    const refused = await gateway.post('/tokenize', { content: 'a' });
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
  } finally {
    await gateway.close();
  }
});

test('a call that a worker never answers goes to another', async () => {
  const settings = ownKeys();
  const worker = await startTestWorker(redis, { settings });
  const gateway = await startTestGateway(redis, settings);
  try {
    const [{ id } = { id: '' }] = gateway.role.state()[0]!.workers;
    const argument = { text: 'a', addSpecial: false, parseSpecial: false };
    const tokens = await gateway.role.dispatcher.calls.call(() => ['nobody', id], 'tokenize', argument);
    assert.deepEqual(tokens, Int32Array.of(97));
  } finally {
    await closeAll(gateway, worker);
  }
});

const listOf = async (gateway: TestGateway) =>
  (await json(fetch(`${gateway.url}/v1/prefixes`))).data as { id: string; hits: number }[];

const pinnedAt = ({ engine }: TestWorker) => engine.stats().pinnedPrefixes;

test('a pinned prefix is every worker’s and every gateway’s, until it is removed', async () => {
  const settings = { ...ownKeys(), 'requests.maxPinnedPrefixes': 2 };
  const first = await startTestWorker(redis, { settings });
  const gateways = [
    await startTestGateway(redis, settings),
    await startTestGateway(redis, settings),
  ] as const;
  const [one, other] = gateways;
  const parts = [first];
  try {
    const made = await json(one.post('/v1/prefixes', { id: 'p', prompt: 'Once ' }));
    assert.deepEqual([made.id, made.tokens, made.model], ['p', 6, 'stub']);
    assert.equal((await other.post('/v1/prefixes', { id: 'p', prompt: 'Twice ' })).status, 409);
    const answer = (gateway: TestGateway) =>
      json(gateway.post('/v1/completions', { prompt: 'upon', prefix_id: 'p', max_tokens: 3 }));
    assert.equal(((await answer(other)).choices as { text: string }[])[0]!.text, 'Onc');
    assert.deepEqual(
      (await listOf(one)).map(({ id, hits }) => [id, hits]),
      [['p', 1]],
    );
    assert.equal(pinnedAt(first), 1);

    // The worker that has computed it goes; another one gets what it stands for, and keeps it too.
    const second = await startTestWorker(redis, { settings });
    parts.push(second);
    await first.close();
    await answer(one);
    await eventually(() => pinnedAt(second) === 1);

    await one.post('/v1/prefixes', { id: 'q', messages: [{ role: 'system', content: 'Be brief' }] });
    const many = await one.post('/v1/prefixes', { id: 'r', prompt: 'x' });
    assert.equal(many.status, 400);
    const wrong = await one.post('/v1/completions', { prompt: 'x', prefix_id: 'q' });
    assert.equal(wrong.status, 400, 'a chat’s prefix before a plain prompt');

    assert.equal(pinnedAt(second), 2);
    const removed = await fetch(`${other.url}/v1/prefixes/p`, { method: 'DELETE' });
    assert.equal(removed.status, 200);
    assert.equal((await one.post('/v1/completions', { prompt: 'x', prefix_id: 'p' })).status, 404);
    await eventually(() => pinnedAt(second) === 1); // q
  } finally {
    await closeAll(...gateways, ...parts);
  }
});

test('a prefix that the model refuses leaves nothing behind', async () => {
  const settings = ownKeys();
  const worker = await startTestWorker(redis, { settings });
  const gateway = await startTestGateway(redis, settings);
  try {
    assert.equal((await gateway.post('/v1/prefixes', { id: 'p', prompt: 'x'.repeat(3000) })).status, 400);
    assert.equal((await gateway.post('/v1/prefixes', { id: 'p', prompt: 'x' })).status, 200);
  } finally {
    await closeAll(gateway, worker);
  }
});

test('embeddings are made by workers with an encoder, also by one without a model', async () => {
  const settings = ownKeys();
  const embedder = new StubEmbedder();
  const gateway = await startTestGateway(redis, settings);
  const ask = (body: object) => gateway.post('/v1/embeddings', body);
  let worker: TestWorker | undefined;
  try {
    assert.equal((await ask({ input: 'a' })).status, 404);
    worker = await startTestWorker(redis, { settings, embedder, withoutModel: true });
    await eventually(async () => (await ask({ input: 'a' })).status === 200);
    const answer = await json(ask({ input: ['a', 'bc'] }));
    const vectors = (answer.data as { embedding: number[] }[]).map(({ embedding }) => embedding);
    const expected = await embedder.embed(['a', 'bc']);
    assert.deepEqual(
      vectors,
      expected.map((vector) => Array.from(vector)),
    );
    assert.deepEqual(answer.usage, { prompt_tokens: 3, total_tokens: 3 });
    const models = (await json(fetch(`${gateway.url}/v1/models`))).data as { id: string }[];
    assert.deepEqual(
      models.map(({ id }) => id),
      ['stub-encoder'],
    );
  } finally {
    await gateway.close();
    await worker?.close();
  }
});

test('the worker’s part of a request is a span below the gateway’s, in the same trace', async () => {
  await using collector = await Collector.start();
  const telemetry = { otlpUrl: collector.url, otlpHeaders: {}, sampleShare: 1 };
  const tracing = () => openTracing(telemetry, {}, createLog('silent'));
  const [atWorker, atGateway] = [await tracing(), await tracing()];
  const settings = ownKeys();
  const worker = await startTestWorker(redis, { settings, tracing: atWorker });
  const gateway = await startTestGateway(redis, settings, { withoutEngine: true, tracing: atGateway });
  try {
    const answered = await gateway.post('/v1/completions', { prompt: 'secret', max_tokens: 4 });
    assert.equal(answered.status, 200);
  } finally {
    await closeAll(gateway, worker, atWorker, atGateway);
  }
  const asked = collector.span('text_completion stub');
  const worked = collector.span('worker stub');
  assert.equal(worked.parentSpanId, asked.spanId);
  assert.equal(worked.traceId, asked.traceId);
  assert.deepEqual(collector.childrenOf(worked).sort(), ['decode', 'prefill', 'tokenize']);
  assert.equal(worked.attributes['gen_ai.usage.output_tokens'], 4);
  assert.equal(worked.attributes['sluice.attempt'], 1);
  assert.doesNotMatch(collector.text, /secret/);
});

test('while Redis is away, what it keeps is unavailable, not a fault of the server', async () => {
  const own = await startRedis();
  const worker = await startTestWorker(own);
  const gateway = await startTestGateway(own);
  try {
    await own.kill();
    const background = { prompt: 'a', background: true };
    const asked = [
      fetch(`${gateway.url}/v1/prefixes`),
      fetch(`${gateway.url}/v1/requests/any`),
      gateway.post('/v1/completions', background),
      gateway.post('/tokenize', { content: 'a' }),
    ];
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    assert.deepEqual(statuses, [503, 503, 503, 503]);
  } finally {
    await closeAll(gateway, worker, own);
  }
});
