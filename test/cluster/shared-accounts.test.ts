import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { nanodollars } from '../../src/support/money.js';
import { projectRoot } from '../../src/support/root.js';
import { startTestGateway, startTestWorker, type TestGateway } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { StubUpstream } from '../support/upstream.js';

/** What gateways share of keys, limits and usage, and what becomes of it when Redis, or one of them, is away. */

let redis: RedisServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;
let first: TestGateway;
let second: TestGateway;
let admin: string;
const folders: string[] = [];

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-shared-'));
  folders.push(folder);
  return folder;
};

const settings = {
  'cluster.reservationLeaseMs': 1_000,
  'cost.localPrice': { input: 1000, output: 1000, cachedInput: 1000 }, // $0.001 a token
};
const start = (folder: string, more: Record<string, unknown> = {}) =>
  startTestGateway(redis, { ...settings, ...more }, { withoutEngine: true, dataFolder: folder });

before(async () => {
  redis = await startRedis();
  worker = await startTestWorker(redis);
  [first, second] = await Promise.all([start(newFolder()), start(newFolder())]);
  admin = (await make(first, { name: 'root', admin: true, budget: null })).key;
});
after(async () => {
  await Promise.all([first.close(), second.close()]);
  await worker.close();
  await redis.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const bearer = (key: string | undefined) => ({
  headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
});

async function make(gateway: TestGateway, fields: object): Promise<{ id: string; key: string }> {
  const response = await gateway.post('/admin/keys', fields, bearer(admin));
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as { id: string; key: string };
}

/** Five tokens: half a cent. */
const ask = (gateway: TestGateway, key: string, body: object = {}) =>
  gateway.post('/v1/completions', { prompt: 'abc', max_tokens: 1, ...body }, bearer(key));

async function spent(gateway: TestGateway, id: string): Promise<number> {
  const response = await fetch(`${gateway.url}/admin/budgets`, bearer(admin));
  const { data } = (await response.json()) as { data: { scope: string; spent: number }[] };
  return nanodollars(data.find(({ scope }) => scope === `key:${id}`)!.spent);
}

async function rows(gateway: TestGateway, id: string): Promise<number> {
  const response = await fetch(`${gateway.url}/admin/usage?by=key`, bearer(admin));
  const { data } = (await response.json()) as { data: { key: string; requests: number }[] };
  return data.find(({ key }) => key === id)?.requests ?? 0;
}

async function sluice(...args: string[]): Promise<string> {
  const file = join(projectRoot(), 'bin/sluice');
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args, '--redis', redis.url]);
  return stdout.trim();
}

test('commands work on the keys and limits that the gateways share', async () => {
  const key = await sluice('keys', 'create', '--name', 'app', '--org', 'cli', '--budget', '0.005');
  assert.equal((await ask(first, key)).status, 200);
  assert.equal((await ask(second, key)).status, 402, 'its budget is spent, elsewhere');
  const [, id] = /^sk-sluice-(\w+)-/.exec(key)!;
  const listed = JSON.parse(await sluice('budgets', 'list', '--json')) as { scope: string; spent: number }[];
  assert.equal(listed.find(({ scope }) => scope === `key:${id}`)?.spent, 0.005);
  await sluice('keys', 'revoke', id!);
  await eventually(async () => (await ask(first, key)).status === 401);
});

test('a gateway that was away shows what the others have settled meanwhile, once', async () => {
  const { id, key } = await make(first, { name: 'app', organisation: 'away' });
  const folder = newFolder();
  const third = await start(folder);
  assert.equal((await ask(third, key)).status, 200);
  await third.close();
  for (let i = 0; i < 3; i += 1) assert.equal((await ask(first, key)).status, 200);
  const again = await start(folder);
  for (const gateway of [again, first, second]) assert.equal(await rows(gateway, id), 4);
  await again.close();
});

test('a Redis that has lost everything knows keys, limits and spending again', async () => {
  const { id, key } = await make(first, { name: 'app', organisation: 'lost', budget: 0.015 });
  for (const gateway of [first, second]) assert.equal((await ask(gateway, key)).status, 200);
  assert.equal(await rows(first, id), 2);
  assert.equal(await rows(second, id), 2);
  redis.cli('FLUSHALL');
  const other = await make(second, { name: 'other' }); // before anybody has noticed
  await eventually(async () => (await ask(second, key)).status === 200);
  assert.equal(await spent(first, id), nanodollars(0.015));
  const fresh = await start(newFolder());
  await eventually(async () => (await ask(fresh, key)).status === 402);
  for (const gateway of [first, second, fresh]) assert.equal((await ask(gateway, other.key)).status, 200);
  await fresh.close();
});

test('while Redis is away, requests with keys are refused and /readyz says so; then all is well again', async () => {
  const { id, key } = await make(first, { name: 'app', organisation: 'refused' });
  assert.equal((await ask(first, key)).status, 200);
  await redis.kill();
  await eventually(async () => (await fetch(`${first.url}/readyz`)).status === 503);
  const refused = await ask(first, key);
  assert.equal(refused.status, 503);
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'store_unavailable');
  await redis.restart();
  await eventually(async () => (await ask(first, key)).status === 200);
  await eventually(async () => (await fetch(`${second.url}/readyz`)).status === 200);
  assert.equal(await spent(first, id), nanodollars(0.01));
});

test('what is settled while Redis is away is kept, and counted when it is back, by the next process too', async () => {
  const { id, key } = await make(first, { name: 'app', organisation: 'outbox' });
  let answer = () => {};
  const gate = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await using upstream = await StubUpstream.start((_, response) => {
    const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
    const choices = [{ index: 0, text: 'a', finish_reason: 'stop' }];
    void gate.then(() => response.end(JSON.stringify({ choices, usage })));
  });
  const models = [{ id: 'elsewhere', upstream: { url: upstream.url, apiKey: 'k' } }];
  const price = { elsewhere: { input: 1000, output: 1000 } };
  const more = { 'routing.models': models, 'cost.prices': price };
  const folder = newFolder();
  const third = await start(folder, more);
  const answered = ask(third, key, { model: 'elsewhere' });
  await eventually(() => upstream.calls.length === 1);
  await redis.kill();
  await eventually(async () => (await fetch(`${third.url}/readyz`)).status === 503);
  answer();
  assert.equal((await answered).status, 200, 'an answer under way ends');
  await third.close();
  await redis.restart();
  const next = await start(folder, more);
  await eventually(async () => (await spent(next, id).catch(() => 0)) === nanodollars(0.004));
  assert.equal(await rows(next, id), 1);
  await next.close();
});
