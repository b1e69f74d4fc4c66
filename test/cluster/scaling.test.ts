import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CALM, startTestGateway, startTestWorker, type TestGateway } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.close());

/** What KEDA's Redis scaler reads: the size of the set. */
const open = (model: string) => Number(redis.cli('ZCARD', `sluice:{model:${model}}:open`));

async function metric(gateway: TestGateway, name: string, model: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{model="${model}"\\} (.*)$`, 'm').exec(text)?.[1]);
}

test('without workers a request waits and is counted; a worker that is started for it answers', async () => {
  const first = await startTestWorker(redis, { modelId: 'sleepy', settings: CALM });
  const gateway = await startTestGateway(redis, CALM);
  let woken = first;
  try {
    await first.close(); // scaled to zero
    await eventually(async () => (await metric(gateway, 'sluice_cluster_workers', 'sleepy')) === 0);
    const answer = gateway.post('/v1/completions', { prompt: 'ab', max_tokens: 2 });
    await eventually(() => open('sleepy') === 1);
    await eventually(async () => (await metric(gateway, 'sluice_cluster_open', 'sleepy')) === 1);
    assert.equal(await metric(gateway, 'sluice_cluster_waiting', 'sleepy'), 1);
    woken = await startTestWorker(redis, { modelId: 'sleepy', settings: CALM });
    assert.equal((await answer).status, 200);
    await eventually(() => open('sleepy') === 0);
  } finally {
    await gateway.close();
    await woken.close();
  }
});

test('what runs is counted too, also where it was placed at one worker; what is cancelled is not', async () => {
  const worker = await startTestWorker(redis, { modelId: 'busy', delayMs: 5, settings: CALM });
  const gateway = await startTestGateway(redis, { ...CALM, 'routing.default': 'busy' });
  const prompt = 'a shared prefix '.repeat(40);
  const ask = (maxTokens: number, signal?: AbortSignal) =>
    gateway.post('/v1/completions', { prompt, max_tokens: maxTokens }, signal ? { signal } : {});
  const busy = () => gateway.role.state().find(({ model }) => model === 'busy');
  try {
    await ask(1);
    await eventually(() => (busy()?.workers[0]?.prefixes.length ?? 0) > 0);
    await eventually(() => open('busy') === 0);
    const stop = new AbortController();
    const gone = ask(1000, stop.signal).catch(() => 'gone');
    await eventually(() => worker.engine.running === 1);
    const shared = [0, 1, 2].map((urgency) =>
      Number(redis.cli('XLEN', `sluice:{model:busy}:work:${urgency}`)),
    );
    assert.deepEqual(shared, [0, 0, 0], 'it is in the stream of its worker');
    assert.equal(open('busy'), 1);
    stop.abort();
    assert.equal(await gone, 'gone');
    await eventually(() => open('busy') === 0);
  } finally {
    await gateway.close();
    await worker.close();
  }
});
