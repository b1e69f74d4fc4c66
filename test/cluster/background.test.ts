import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CALM,
  startTestGateway,
  startTestWorker,
  type TestGateway,
  type TestWorker,
} from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let redis: RedisServer;
let worker: TestWorker;
before(async () => {
  redis = await startRedis();
  worker = await startTestWorker(redis, { delayMs: 5, settings: CALM });
});
after(async () => {
  await worker.close();
  await redis.close();
});

async function begun(gateway: TestGateway, maxTokens: number): Promise<string> {
  const body = { prompt: 'ab', max_tokens: maxTokens, background: true };
  const response = await gateway.post('/v1/completions', body);
  assert.equal(response.status, 202);
  return ((await response.json()) as { id: string }).id;
}

async function shown(gateway: TestGateway, id: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${gateway.url}/v1/requests/${id}`);
  return { status: response.status, ...((await response.json()) as object) };
}

test('a background request is any gateway’s to ask for and to cancel, also when its own has gone', async () => {
  const [one, other] = [await startTestGateway(redis, CALM), await startTestGateway(redis, CALM)];
  try {
    worker.engine.hold();
    const id = await begun(one, 4);
    assert.equal((await shown(other, id)).state, 'running');
    worker.engine.release();
    await eventually(async () => (await shown(other, id)).state === 'done');
    const { result } = await shown(other, id);
    assert.equal((result as { choices: { text: string }[] }).choices[0]!.text, 'abab');
    assert.deepEqual(result, (await shown(one, id)).result);

    const endless = await begun(one, 2000);
    await eventually(() => worker.engine.running === 1);
    const removed = await fetch(`${other.url}/v1/requests/${endless}`, { method: 'DELETE' });
    assert.equal(removed.status, 200);
    await eventually(() => worker.engine.running === 0);
    assert.equal((await shown(one, endless)).status, 404);
    assert.equal((await shown(other, endless)).status, 404);

    const orphan = await begun(one, 2000);
    assert.equal((await shown(other, orphan)).state, 'running');
    await one.close();
    assert.equal((await shown(other, id)).state, 'done');
    assert.equal((await shown(other, orphan)).state, 'failed');
  } finally {
    await one.close();
    await other.close();
  }
});
