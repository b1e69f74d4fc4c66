import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { z } from 'zod';
import { backgroundRequest } from '../../src/api/schemas/requests.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

type Shown = z.output<typeof backgroundRequest>;

const prompt = { prompt: 'abc', max_tokens: 4 };

async function start(server: TestServer, body: object = {}, init: RequestInit = {}): Promise<string> {
  const response = await server.post('/v1/completions', { ...prompt, background: true, ...body }, init);
  assert.equal(response.status, 202, await response.clone().text());
  const { id } = backgroundRequest.parse(await response.json());
  assert.equal(response.headers.get('location'), `/v1/requests/${id}`);
  return id;
}

const at = (server: TestServer, id: string, init?: RequestInit) =>
  fetch(`${server.url}/v1/requests/${id}`, init);

async function shown(server: TestServer, id: string, init?: RequestInit): Promise<Shown> {
  const response = await at(server, id, init);
  assert.equal(response.status, 200);
  return backgroundRequest.parse(await response.json());
}

async function ended(server: TestServer, id: string, init?: RequestInit): Promise<Shown> {
  await eventually(async () => ['done', 'failed'].includes((await shown(server, id, init)).state));
  return await shown(server, id, init);
}

test('the result is the answer that a client who waits is given', async () => {
  using server = await startTestServer();
  const waited = (await (await server.post('/v1/completions', prompt)).json()) as object;
  const { state, result, completed } = await ended(server, await start(server));
  assert.equal(state, 'done');
  assert.ok(completed! > 0);
  const given = result as { id: string; created: number };
  assert.deepEqual({ ...waited, id: given.id, created: given.created }, given);
});

test('Prefer: respond-async does the same, for chats too, and streams pass it over', async () => {
  using server = await startTestServer();
  const init = { headers: { prefer: 'wait=10, respond-async' } };
  const chat = { messages: [{ role: 'user', content: 'abc' }], max_tokens: 4 };
  const response = await server.post('/v1/chat/completions', chat, init);
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('preference-applied'), 'respond-async');
  const { result } = await ended(server, ((await response.json()) as Shown).id);
  assert.equal((result as { object: string }).object, 'chat.completion');
  const stream = await server.post('/v1/chat/completions', { ...chat, stream: true }, init);
  assert.equal(stream.status, 200);
  assert.match(await stream.text(), /\[DONE\]/);
  const both = await server.post('/v1/chat/completions', { ...chat, stream: true, background: true });
  assert.equal(((await both.json()) as { error: { param: string } }).error.param, 'background');
});

test('who waits is told its position, who runs is not, and DELETE ends either', async () => {
  using server = await startTestServer({ delayMs: 5, settings: { 'engine.maxSequences': 1 } });
  const long = { max_tokens: 2000 };
  const running = [await start(server, long), await start(server, long)]; // two places: twice the sequences
  await eventually(() => server.engine.running === 2);
  const first = await start(server, long);
  const second = await start(server, long);
  const place = async (id: string) => {
    const { state, position } = await shown(server, id);
    return [state, position];
  };
  await eventually(async () => (await shown(server, second)).position === 2);
  assert.deepEqual(await place(first), ['queued', 1]);
  assert.equal(typeof (await shown(server, first)).estimate_ms, 'number');
  assert.deepEqual(await place(running[0]!), ['running', undefined]);
  const removed = await at(server, first, { method: 'DELETE' });
  assert.deepEqual(await removed.json(), { id: first, object: 'request', deleted: true });
  assert.equal((await at(server, first)).status, 404);
  await eventually(async () => (await shown(server, second)).position === 1);
  for (const id of running) await at(server, id, { method: 'DELETE' });
  await eventually(async () => (await shown(server, second)).state === 'running');
  assert.deepEqual(server.engine.cancelled.length, 2);
  await at(server, second, { method: 'DELETE' });
});

test('a failure is kept like a result', async () => {
  using server = await startTestServer();
  const { state, error, result } = await ended(server, await start(server, { model: 'nothing' }));
  assert.deepEqual([state, error!.code, result], ['failed', 'model_not_found', undefined]);
});

test("a key's requests are nobody else's, an administrator's included", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-background-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startTestServer({ dataFolder: folder });
  try {
    const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const make = async (fields: object, init = {}) => {
      const response = await server.post('/admin/keys', fields, init);
      return bearer(((await response.json()) as { key: string }).key);
    };
    const admin = await make({ name: 'root', admin: true });
    const [a, b] = [await make({ name: 'a' }, admin), await make({ name: 'b' }, admin)];
    const id = await start(server, {}, a);
    assert.equal((await ended(server, id, a)).state, 'done');
    for (const other of [admin, b]) {
      assert.equal((await at(server, id, other)).status, 404);
      assert.equal((await at(server, id, { ...other, method: 'DELETE' })).status, 404);
    }
    assert.equal((await at(server, id)).status, 401);
    assert.equal((await at(server, id, a)).status, 200);
  } finally {
    await server.close();
  }
});
