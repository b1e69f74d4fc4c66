import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { fails, StubUpstream, says } from '../support/upstream.js';

/** Gateways that know the same upstreams and routes. */
async function start(t: TestContext, settings: Record<string, unknown> = {}) {
  const redis = await startRedis();
  t.after(() => redis.close());
  const [sick, well] = [await StubUpstream.start(fails(500)), await StubUpstream.start(says('Well.'))];
  for (const upstream of [sick, well]) t.after(() => upstream[Symbol.asyncDispose]());
  const upstreams = {
    'routing.models': [modelOf('sick', sick), modelOf('well', well)],
    'routing.routes': [
      {
        name: 'trial',
        strategy: 'canary',
        models: ['well'],
        canary: { model: 'sick', share: 1, minRequests: 4 },
      },
    ],
    ...settings,
  };
  return { redis, sick, newGateway: () => gatewayOf(t, redis, upstreams) };
}

async function gatewayOf(t: TestContext, redis: RedisServer, settings: Record<string, unknown>) {
  const gateway = await startTestGateway(redis, settings);
  t.after(() => gateway.close());
  return gateway;
}

function modelOf(id: string, { url }: StubUpstream) {
  return { id, upstream: { url, model: id, retries: 0, probeIntervalMs: 0 } };
}

async function ask(gateway: TestGateway, model: string): Promise<number> {
  const body = { model, messages: [{ role: 'user', content: 'Hello' }] };
  const response = await gateway.post('/v1/chat/completions', body);
  await response.text();
  return response.status;
}

const stateOf = async (gateway: TestGateway, model: string) =>
  (await fetch(`${gateway.url}/readyz/${model}`)).status;

test('an upstream that fails at one gateway is not asked by the others, until it has answered one of them', async (t) => {
  const { sick, newGateway } = await start(t, {
    'routing.breakerFailures': 3,
    'routing.breakerCooldownMs': 60_000,
  });
  const [first, second] = [await newGateway(), await newGateway()];
  for (let index = 0; index < 3; index += 1) assert.equal(await ask(first, 'sick'), 502);
  await eventually(async () => (await stateOf(second, 'sick')) === 503);
  assert.equal(await ask(second, 'sick'), 503);
  assert.equal(sick.calls.length, 3, 'nobody else has asked');
  const later = await newGateway();
  assert.equal(await stateOf(later, 'sick'), 503, 'who begins later knows');
  assert.equal(await stateOf(later, 'well'), 200);

  sick.replies = [says('Better.')];
  first.server.router.fleet.find('sick')!.breaker.alive(Date.now()); // as a probe would
  assert.equal(await ask(first, 'sick'), 200);
  for (const other of [second, later]) {
    await eventually(async () => (await stateOf(other, 'sick')) === 200);
    assert.equal(await ask(other, 'sick'), 200);
  }
});

test('what is found out while Redis is away is told when it is back', async (t) => {
  const { redis, newGateway } = await start(t, {
    'routing.breakerFailures': 3,
    'routing.breakerCooldownMs': 60_000,
  });
  const [first, second] = [await newGateway(), await newGateway()];
  await redis.kill();
  for (let index = 0; index < 3; index += 1) assert.equal(await ask(first, 'sick'), 502);
  assert.equal(await stateOf(second, 'sick'), 200);
  await redis.restart();
  await eventually(async () => (await stateOf(second, 'sick')) === 503);
});

test('a canary that is taken back at one gateway is at all, until its route is put again at one', async (t) => {
  const { newGateway } = await start(t, { 'routing.breakerFailures': 100 });
  const [first, second] = [await newGateway(), await newGateway()];
  const rolledBack = async (gateway: TestGateway) => {
    const { data } = (await (await fetch(`${gateway.url}/admin/routes`)).json()) as {
      data: { canary: { rolled_back: string | null } }[];
    };
    return data[0]!.canary.rolled_back;
  };
  for (let index = 0; index < 4; index += 1) assert.equal(await ask(first, 'trial'), 200);
  assert.equal(await rolledBack(first), 'error_rate');
  await eventually(async () => (await rolledBack(second)) === 'error_rate');
  const later = await newGateway();
  assert.equal(await rolledBack(later), 'error_rate', 'who begins later knows');

  const [route] = later.server.router.routes.list();
  const put = await fetch(`${later.url}/admin/routes/trial`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(route!.spec),
  });
  assert.equal(put.status, 200);
  await eventually(async () => (await rolledBack(first)) === null && (await rolledBack(second)) === null);
});
