import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway, startTestWorker } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startRedis } from '../support/redis-server.js';

const system = 'You are a patient assistant who answers in one sentence. '.repeat(10);

test('who shares a prefix goes where it is, and elsewhere when its worker is full or dead', async () => {
  const redis = await startRedis();
  // Nothing is to move for want of time: a busy machine may keep a worker waiting.
  const settings = { 'engine.maxSequences': 2, 'cluster.leaseMs': 3_000 };
  const workers = [
    await startTestWorker(redis, { settings, delayMs: 5 }),
    await startTestWorker(redis, { settings, delayMs: 5 }),
  ];
  const gateway = await startTestGateway(redis, settings);
  const ask = async (end: string, tokens = 2) => {
    const response = await gateway.post('/v1/completions', { prompt: `${system}${end}`, max_tokens: tokens });
    assert.equal(response.status, 200);
    await response.text();
  };
  const served = () =>
    workers.map(({ engine }) => engine.requests.filter(({ id }) => id !== 'warm-up').length);
  try {
    await eventually(() => gateway.role.state()[0]?.workers.length === 2);
    await ask('first');
    const home = served().indexOf(1);
    for (const end of ['second', 'third', 'fourth']) await ask(end);
    assert.equal(served()[home], 4);
    await Promise.all(['a', 'b', 'c', 'd'].map((end) => ask(end, 100)));
    assert.ok(served()[1 - home]! > 0, 'what it has no place for went to the other');

    await workers[home]!.close();
    await ask('after its death');
  } finally {
    await gateway.close();
    await Promise.all(workers.map((worker) => worker.close()));
    await redis.close();
  }
});
