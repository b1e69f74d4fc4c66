import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestGateway, startTestWorker, type TestGateway } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startRedis } from '../support/redis-server.js';
import { StubEmbedder } from '../support/stub-embedder.js';

/** Two gateways that share their answers. */
async function startTwo(t: TestContext, settings: Record<string, unknown> = {}) {
  const redis = await startRedis();
  t.after(() => redis.close());
  const worker = await startTestWorker(redis);
  t.after(() => worker.close());
  const gateways = await Promise.all([0, 1].map(() => startTestGateway(redis, settings)));
  for (const gateway of gateways) {
    t.after(() => gateway.close());
    await eventually(() => gateway.role.state()[0]?.workers.length === 1);
  }
  return { redis, worker, gateways: gateways as [TestGateway, TestGateway] };
}

const fromCacheOnly = { headers: { 'cache-control': 'only-if-cached' } };

/** x-sluice-cache, or the error's status. */
async function ask(gateway: TestGateway, prompt: string, init: RequestInit = {}): Promise<string> {
  const body = { prompt, max_tokens: 4, temperature: 0 };
  const response = await gateway.post('/v1/completions', body, init);
  await response.text();
  return response.ok ? response.headers.get('x-sluice-cache')! : String(response.status);
}

test('an answer of one gateway is one of the other, until it is purged from anywhere', async (t) => {
  const { gateways } = await startTwo(t);
  const [first, second] = gateways;
  assert.equal(await ask(first, 'Once'), 'miss');
  await eventually(async () => (await ask(second, 'Once', fromCacheOnly)) === 'hit-l2');
  assert.equal(await ask(second, 'Once'), 'hit-l1');
  assert.equal(await ask(first, 'Twice'), 'miss');
  const purged = await first.post('/admin/cache/purge', { prompt_prefix: 'On' });
  const { dropped } = (await purged.json()) as { dropped: Record<string, number> };
  assert.deepEqual(dropped, { l1: 1, l2: 1 });
  await eventually(async () => (await ask(second, 'Once', fromCacheOnly)) === '504');
  assert.equal(await ask(first, 'Twice', fromCacheOnly), 'hit-l1');
});

test('without Redis requests go on and nothing is kept in it; when it is back, so is the cache', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.close());
  const own = { modelId: 'own' };
  const gateways = [await startTestGateway(redis, {}, own), await startTestGateway(redis, {}, own)] as const;
  for (const gateway of gateways) t.after(() => gateway.close());
  const [first, second] = gateways;
  const status = async () => {
    const response = await fetch(`${first.url}/readyz`);
    return `${response.status} ${((await response.json()) as { status: string }).status}`;
  };
  assert.equal(await status(), '200 ready');
  await redis.kill();
  assert.equal(await ask(first, 'Once'), 'miss');
  await eventually(async () => (await status()) === '200 degraded');
  assert.equal(await ask(first, 'Twice'), 'miss');
  assert.equal(await ask(first, 'Twice'), 'hit-l1');
  assert.equal((await first.post('/admin/cache/purge', { all: true })).status, 503);
  await redis.restart();
  await eventually(async () => (await status()) === '200 ready');
  assert.equal(await ask(first, 'Thrice'), 'miss');
  await eventually(async () => (await ask(second, 'Thrice', fromCacheOnly)) === 'hit-l2');
});

test('an answer at one gateway is one to a similar question at the other', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.close());
  const settings = { 'semanticCache.enabled': true, 'semanticCache.timeoutMs': 10_000 };
  const start = async () => {
    const own = { modelId: 'own', embedder: new StubEmbedder() };
    const gateway = await startTestGateway(redis, settings, own);
    t.after(() => gateway.close());
    return gateway;
  };
  const chat = async (gateway: TestGateway, content: string, init: RequestInit = {}) => {
    const body = {
      messages: [{ role: 'user', content }],
      temperature: 0,
      max_tokens: 8,
      cache_similar: true,
    };
    const response = await gateway.post('/v1/chat/completions', body, init);
    await response.text();
    return response.headers.get('x-sluice-cache');
  };
  const paraphrase = 'Please tell me how to remove a directory in Linux.';
  const [first, second] = [await start(), await start()];
  assert.equal(await chat(first, 'How do I delete a folder in Linux?'), 'miss');
  await eventually(async () => (await chat(second, paraphrase, fromCacheOnly)) === 'hit-l3');
  const third = await start();
  assert.equal(await chat(third, paraphrase), 'hit-l3', 'whoever comes later has it from the start');
  await third.post('/admin/cache/purge', { all: true });
  await eventually(async () => (await chat(second, paraphrase, fromCacheOnly)) === null);
});
