import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALM, startTestGateway, startTestWorker } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startRedis } from '../support/redis-server.js';

const system = 'You are a patient assistant who answers in one sentence. '.repeat(10);

test('who shares a prefix goes where it is, and elsewhere when its worker is full or dead', async () => {
  const redis = await startRedis();
  // Nothing is to move for want of time: a busy machine may keep a worker waiting.
  const settings = { ...CALM, 'engine.maxSequences': 2, 'cluster.leaseMs': 3_000 };
  const workers = [await startTestWorker(redis, { settings }), await startTestWorker(redis, { settings })];
  const gateway = await startTestGateway(redis, settings);
  const ask = async (end: string) => {
    const response = await gateway.post('/v1/completions', { prompt: `${system}${end}`, max_tokens: 2 });
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
    for (const { engine } of workers) engine.hold();
    const many = ['a', 'b', 'c', 'd'].map((end) => ask(end));
    await eventually(() => served()[1 - home]! > 0); // what the first has no place for
    for (const { engine } of workers) engine.release();
    await Promise.all(many);

    await workers[home]!.close();
    await ask('after its death');
  } finally {
    await gateway.close();
    await Promise.all(workers.map((worker) => worker.close()));
    await redis.close();
  }
});

test('a conversation stays at its worker, whichever gateway it comes to, and moves when that one is gone', async (t) => {
  const redis = await startRedis({ cluster: true });
  t.after(() => redis.close());
  const settings = { ...CALM, 'redis.isCluster': true, 'engine.maxSequences': 4, 'cluster.leaseMs': 3_000 };
  const workers = await Promise.all([0, 1, 2].map(() => startTestWorker(redis, { settings })));
  for (const worker of workers) t.after(() => worker.close());
  const gateways = await Promise.all([0, 1].map(() => startTestGateway(redis, settings)));
  for (const gateway of gateways) {
    t.after(() => gateway.close());
    await eventually(() => gateway.role.state()[0]?.workers.length === 3);
  }
  const servedSince = (before: number[]) => served().map((count, index) => count - before[index]!);
  const served = () =>
    workers.map(({ engine }) => engine.requests.filter(({ id }) => id !== 'warm-up').length);
  const ask = async (turn: number, path: string, body: object) => {
    const response = await gateways[turn % 2]!.post(path, { max_tokens: 2, ...body });
    assert.equal(response.status, 200, await response.text());
  };
  const turns = async (ask: (turn: number) => Promise<void>) => {
    const before = served();
    for (const turn of [0, 1, 2, 3, 4, 5]) await ask(turn);
    return servedSince(before);
  };
  // Too short to share a prefix.
  const inSession = (turn: number) =>
    ask(turn, '/v1/completions', { prompt: `turn ${turn}`, session_id: 's' });
  const home = (await turns(inSession)).indexOf(6);
  assert.notEqual(home, -1);
  const messages = (turn: number) => [
    { role: 'user', content: 'Hello' },
    ...Array.from({ length: turn }, () => ({ role: 'assistant', content: 'Hi' })),
  ];
  const chat = await turns((turn) => ask(turn, '/v1/chat/completions', { messages: messages(turn) }));
  assert.ok(chat.includes(6), `${chat}`);

  await workers[home]!.close();
  const moved = await turns(inSession);
  assert.equal(moved[home], 0);
  assert.ok(moved.includes(6), `${moved}`);
});
