import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { createKey } from '../../src/auth/index.js';
import { type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import { type Database, noLimits, openDatabase } from '../../src/store/index.js';
import { eventually } from '../support/eventually.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';

/** Keys, limits and budgets as clients and administrators meet them, with a real store. */

const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
let server: TestServer;
let admin: string;
/** As a command on the same machine has it. */
let command: Database;

before(async () => {
  server = await startTestServer({
    dataFolder: folder,
    aliases: ['fast'],
    settings: { 'cost.localPrice': { input: 1000, output: 2000, cachedInput: 1000 } }, // $0.001 and $0.002 a token
  });
  command = openDatabase(folder);
  admin = (await make({ name: 'root', admin: true })).key;
});
after(async () => {
  await server.close();
  command.close();
  rmSync(folder, { recursive: true });
});

interface Issued {
  id: string;
  key: string;
}

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const ask = (key: string, body: object = {}) =>
  server.post('/v1/completions', { prompt: 'abc', max_tokens: 4, ...body }, bearer(key));
const get = (path: string, key: string) => fetch(`${server.url}${path}`, bearer(key));

async function make(fields: object): Promise<Issued> {
  const init = admin === undefined ? {} : bearer(admin);
  const response = await server.post('/admin/keys', fields, init);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Issued;
}

function makeByCommand() {
  const request = {
    name: 'by command',
    organisation: 'o',
    team: null,
    user: null,
    isAdmin: false,
    models: null,
    guardProfile: null,
    expiresAtMs: null,
    limits: noLimits,
  };
  return createKey(command, request, Date.now());
}

async function errorOf(response: Response): Promise<{ code: string; param: string | null; message: string }> {
  return ((await response.json()) as { error: { code: string; param: string | null; message: string } })
    .error;
}

async function budgetOf(scope: string): Promise<{ spent: number; reserved: number }> {
  const { data } = (await (await get('/admin/budgets', admin)).json()) as {
    data: { scope: string; spent: number; reserved: number }[];
  };
  const { spent, reserved } = data.find((each) => each.scope === scope)!;
  return { spent, reserved };
}

async function usageOf(key: string): Promise<Record<string, unknown>[]> {
  const { data } = (await (await get('/admin/usage?by=request', admin)).json()) as {
    data: Record<string, unknown>[];
  };
  return data.filter((row) => row.key === key);
}

test('every route but health, the page and the description of the API needs a key, the admin routes an administrator’s', async () => {
  const { key } = await make({ name: 'app' });
  for (const path of ['/', '/openapi.json', '/health', '/healthz', '/readyz'])
    assert.equal((await fetch(server.url + path)).status, 200, path);
  for (const path of ['/v1/models', '/v1/models/stub', '/v1/prefixes', '/metrics']) {
    const refusal = await fetch(server.url + path);
    assert.equal(refusal.status, 401, path);
    assert.equal(refusal.headers.get('www-authenticate'), 'Bearer');
    assert.equal((await errorOf(refusal)).code, 'invalid_api_key');
    assert.equal((await get(path, key)).status, 200, path);
  }
  for (const path of ['/admin/keys', '/admin/budgets', '/admin/usage']) {
    assert.equal((await fetch(server.url + path)).status, 401, path);
    assert.equal((await get(path, key)).status, 403, path);
    assert.equal((await get(path, admin)).status, 200, path);
  }
  assert.equal((await server.post('/v1/completions', { prompt: 'a' })).status, 401);
  assert.equal((await server.post('/tokenize', { content: 'a' })).status, 401);
  assert.equal((await fetch(`${server.url}/v1/models`, { method: 'OPTIONS' })).status, 204);
});

test('a key that a command makes is good at once, also for a request with a body', async () => {
  const { key, record } = await makeByCommand();
  const long = 'x'.repeat(1000);
  const response = await ask(key, { prompt: long });
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(server.engine.requests.at(-1)!.tenant, 'o');
  command.revokeKey(record.id, Date.now());
  await eventually(async () => (await ask(key)).status === 401);
});

test('a key that an administrator revokes or rotates is refused when that is answered', async () => {
  const { id, key } = await make({ name: 'app' });
  const rotated = await server.post('/admin/keys/rotate', { id }, bearer(admin));
  const fresh = ((await rotated.json()) as Issued).key;
  assert.equal((await ask(key)).status, 401);
  assert.equal((await ask(fresh)).status, 200);
  const revoked = await fetch(`${server.url}/admin/keys/${id}`, { method: 'DELETE', ...bearer(admin) });
  assert.equal(revoked.status, 200);
  assert.equal((await ask(fresh)).status, 401);
  assert.equal(
    (await fetch(`${server.url}/admin/keys/nothing`, { method: 'DELETE', ...bearer(admin) })).status,
    404,
  );
});

test('the list of keys shows no secret', async () => {
  const { id, key } = await make({ name: 'listed', team: 'search', rpm: 9 });
  const text = await (await get('/admin/keys', admin)).text();
  assert.ok(!text.includes(key) && !text.includes(key.slice(-43)));
  const { data } = JSON.parse(text) as { data: { id: string; team: string; limits: object }[] };
  const shown = data.find((each) => each.id === id)!;
  assert.equal(shown.team, 'search');
  assert.deepEqual(shown.limits, {
    rpm: 9,
    tpm: null,
    rpd: null,
    tpd: null,
    concurrency: null,
    budget: 100,
    period: 'month',
  });
});

test('bad fields are named', async () => {
  const cases: [path: string, body: object, param: string | null][] = [
    ['/admin/keys', {}, 'name'],
    ['/admin/keys', { name: 'a', rpm: 0 }, 'rpm'],
    ['/admin/keys', { name: 'a', budget: -1 }, 'budget'],
    ['/admin/keys', { name: 'a', period: 'year' }, 'period'],
    ['/admin/keys', { name: 'a', organisation: 'a/b' }, 'organisation'],
    ['/admin/keys', { name: 'a', expires_at: 'soon' }, 'expires_at'],
    ['/admin/keys', { name: 'a', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    ['/admin/keys', { name: 'a', rmp: 5 }, null],
    ['/admin/keys/rotate', { id: 'x' }, 'id'],
    ['/admin/budgets', { scope: 'team:search' }, 'scope'],
  ];
  for (const [path, body, param] of cases) {
    const response = await server.post(path, body, bearer(admin));
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.equal((await errorOf(response)).param, param);
  }
  const { message, param } = await errorOf(await get('/admin/usage?by=kez', admin));
  assert.equal(param, 'by');
  assert.match(message, /there is no "kez"; expected "request", or any of key, model/);
});

test('requests per minute: 429 with the time until one is free, headers that count down', async () => {
  const { key } = await make({ name: 'app', rpm: 2 });
  const first = await ask(key);
  assert.deepEqual(
    ['limit', 'remaining'].map((what) => first.headers.get(`x-ratelimit-${what}-requests`)),
    ['2', '1'],
  );
  const streamed = await ask(key, { stream: true });
  assert.equal(streamed.headers.get('x-ratelimit-remaining-requests'), '0');
  assert.equal((await sseEvents(streamed)).at(-1), '[DONE]');
  const refused = await ask(key);
  assert.equal(refused.status, 429);
  const retryAfter = Number(refused.headers.get('retry-after'));
  assert.ok(retryAfter > 50 && retryAfter <= 61, `${retryAfter} s`);
  assert.equal(refused.headers.get('x-ratelimit-remaining-requests'), '0');
  assert.equal((await errorOf(refused)).code, 'rate_limit_exceeded');
});

test('tokens are reserved for the longest answer and settled to the true one', async () => {
  // BOS and three bytes are 4 tokens; the answers have 4 at most.
  const { id, key } = await make({ name: 'app', tpm: 16 });
  const first = await ask(key, { stop: ['c'] }); // the scripted answer is "abcabc…": it stops after "ab"
  assert.equal(first.headers.get('x-ratelimit-remaining-tokens'), '8');
  const { usage } = (await first.json()) as { usage: { completion_tokens: number; cost: number } };
  const second = await ask(key);
  assert.equal(
    second.headers.get('x-ratelimit-remaining-tokens'),
    String(16 - 4 - usage.completion_tokens - 8),
  );
  assert.equal((await ask(key)).status, 429);
  const tooLong = await ask(key, { max_tokens: 17 });
  assert.equal(tooLong.status, 400);
  assert.equal((await errorOf(tooLong)).code, 'request_too_large');
  assert.equal((await usageOf(id)).length, 2, 'what was refused is not in the ledger');
});

test('a budget is never exceeded: the dearest outcome has to fit, and what was not used comes back', async () => {
  // At most 4 × $0.001 + 4 × $0.002 = $0.012 a request.
  const { id, key } = await make({ name: 'app', budget: 0.03, period: 'day' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(key)));
  const counts = answers.map(({ status }) => status);
  assert.equal(counts.filter((status) => status === 200).length, 2);
  assert.equal(counts.filter((status) => status === 402).length, 18);
  const error = await errorOf(answers.find(({ status }) => status === 402)!);
  assert.equal(error.code, 'insufficient_quota');
  assert.match(error.message, /budget of this key is \$0\.03 a day/);
  assert.deepEqual(await budgetOf(`key:${id}`), { spent: 0.024, reserved: 0 });
  assert.equal((await ask(key, { max_tokens: 1 })).status, 200, 'a smaller one fits: $0.006');
  assert.deepEqual(await budgetOf(`key:${id}`), { spent: 0.03, reserved: 0 });
  assert.equal((await ask(key, { max_tokens: 1 })).status, 402);
});

test('team and organisation are limited over all their keys', async () => {
  const own = { organisation: 'acme', team: 'search' };
  const [one, two] = [await make({ name: 'one', ...own }), await make({ name: 'two', ...own })];
  const other = await make({ name: 'other', organisation: 'acme', team: 'ads' });
  const set = (body: object) => server.post('/admin/budgets', body, bearer(admin));
  assert.equal((await set({ scope: 'team:acme/search', rpd: 2 })).status, 200);
  assert.equal((await ask(one.key)).status, 200);
  assert.equal((await ask(two.key)).status, 200);
  assert.equal((await ask(one.key)).status, 429);
  assert.equal((await ask(other.key)).status, 200);
  await set({ scope: 'organisation:acme', budget: 0.036 });
  const refused = await ask(other.key);
  assert.equal(refused.status, 402, 'what was spent before the limit counts');
  assert.match((await errorOf(refused)).message, /budget of this organisation/);
  await set({ scope: 'organisation:acme', budget: null });
  assert.equal((await ask(other.key)).status, 200);
});

test('requests running at once are limited, and end with the client', async () => {
  const { id, key } = await make({ name: 'app', concurrency: 1 });
  const abort = new AbortController();
  const long = { prompt: 'ab', max_tokens: 1900, stream: true };
  const first = await server.post('/v1/completions', long, { ...bearer(key), signal: abort.signal });
  const refused = await ask(key);
  assert.equal(refused.status, 429);
  assert.match((await errorOf(refused)).message, /requests of this key run as may at once: 1\./);
  assert.ok((await budgetOf(`key:${id}`)).reserved > 3);
  await first.body!.getReader().read();
  abort.abort();
  await eventually(async () => (await ask(key)).status === 200);
  const cancelled = (await usageOf(id)).find(({ finish }) => finish === 'cancelled')!;
  assert.ok((cancelled.output_tokens as number) < 1900);
  const { spent, reserved } = await budgetOf(`key:${id}`);
  assert.equal(reserved, 0);
  assert.ok(spent < 3.9, `${spent}`);
});

test('a request that fails half-way costs what it has used', async () => {
  const { id, key } = await make({ name: 'app' });
  server.engine.failNext = { code: 'engine_failed', afterTokens: 3 };
  assert.equal((await ask(key)).status, 500);
  const [row] = await usageOf(id);
  assert.deepEqual([row!.input_tokens, row!.output_tokens, row!.finish], [4, 3, 'engine_failed']);
  assert.equal(row!.cost, 0.01);
  assert.equal((await ask(key, { model: 'none' })).status, 404);
  const failed = (await usageOf(id)).find(({ finish }) => finish === 'model_not_found')!;
  assert.deepEqual([failed.model, failed.cost], [null, 0]);
});

test('a key may use its models only, by name or alias', async () => {
  const { key } = await make({ name: 'app', models: ['fast'] });
  assert.equal((await ask(key, { model: 'fast' })).status, 200);
  const refused = await ask(key, { model: 'stub' });
  assert.equal(refused.status, 403);
  assert.deepEqual(await errorOf(refused).then(({ code, param }) => [code, param]), [
    'model_access_denied',
    'model',
  ]);
  assert.equal((await server.post('/tokenize', { content: 'a', model: 'stub' }, bearer(key))).status, 403);
  assert.equal((await get('/v1/models/stub', key)).status, 403);
});

test('usage says what it cost, and so do the ledger and the metrics', async () => {
  const { id, key } = await make({ name: 'app', organisation: 'metered', user: 'ada' });
  const { usage } = (await (await ask(key)).json()) as { usage: { cost: number } };
  assert.equal(usage.cost, 0.012);
  const events = (await sseEvents(
    await ask(key, { stream: true, stream_options: { include_usage: true } }),
  )) as { usage: { cost: number } | null }[];
  assert.equal(events.at(-2)!.usage!.cost, 0.012);
  const report = (await (await get('/admin/usage?by=user,model', admin)).json()) as { data: object[] };
  const { mean_latency_ms: _, ...row } = report.data.find(
    (each) => 'user' in each && each.user === 'ada',
  ) as {
    mean_latency_ms: number;
  };
  assert.deepEqual(row, {
    user: 'ada',
    model: 'stub',
    requests: 2,
    input_tokens: 8,
    output_tokens: 8,
    cached_tokens: 6,
    cost: 0.024,
  });
  const csv = await (await get('/admin/usage?by=key&format=csv', admin)).text();
  assert.match(csv, new RegExp(`^key,requests,.*\r\n(.*\r\n)*${id},2,8,8,6,0\\.024,`));
  assert.match(await (await get('/metrics', admin)).text(), /^llm_cost_dollars\{model="stub"\} \d+\.\d+$/m);
});

interface Frame {
  type: string;
  id: string | null;
  error?: { code: string };
}

async function connect(headers: Record<string, string> = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/stream`, 'sluice.v1.json', { headers });
  const frames: Frame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  const outcome = await once(socket, 'open').then(
    () => 'open',
    (error) => String(error),
  );
  const until = async (match: (frame: Frame) => boolean) => {
    await eventually(() => frames.some(match));
    return frames.find(match)!;
  };
  const send = (message: object) => socket.send(JSON.stringify(message));
  return { socket, outcome, until, send };
}

const generate = (id: string) => ({ type: 'generate', id, request: { prompt: 'abc', max_tokens: 2 } });

test('a socket brings its key as header, or in its first message', async () => {
  const { key } = await make({ name: 'app' });
  const byHeader = await connect({ authorization: `Bearer ${key}` });
  const unknown = await makeByCommand(); // the server has to look for it
  const fresh = await connect({ authorization: `Bearer ${unknown.key}` });
  fresh.send(generate('a'));
  await fresh.until(({ type, id }) => type === 'done' && id === 'a');
  fresh.socket.close();
  byHeader.send(generate('a'));
  await byHeader.until(({ type, id }) => type === 'done' && id === 'a');
  byHeader.socket.close();

  const byMessage = await connect();
  byMessage.send(generate('early'));
  const { error } = await byMessage.until(({ id }) => id === 'early');
  assert.equal(error!.code, 'invalid_api_key');
  byMessage.send({ type: 'auth', key: (await makeByCommand()).key });
  byMessage.send(generate('b'));
  await byMessage.until(({ type }) => type === 'ready');
  await byMessage.until(({ type, id }) => type === 'done' && id === 'b');
  byMessage.socket.close();
});

test('a socket with a wrong key is refused or closed', async () => {
  const { key } = await make({ name: 'app' });
  const wrong = `${key.slice(0, -3)}abc`;
  assert.match((await connect({ authorization: `Bearer ${wrong}` })).outcome, /401/);
  const { socket, send, until } = await connect();
  const closed = once(socket, 'close');
  send({ type: 'auth', key: wrong });
  send(generate('held'));
  assert.equal((await until(({ type }) => type === 'error')).error!.code, 'invalid_api_key');
  const [code, reason] = await closed;
  assert.deepEqual([code, String(reason)], [1008, 'wrong_key']);
});

test('a socket does not outlive its key', async () => {
  const { id, key } = await make({ name: 'app' });
  const { socket, send, until } = await connect({ authorization: `Bearer ${key}` });
  await fetch(`${server.url}/admin/keys/${id}`, { method: 'DELETE', ...bearer(admin) });
  send(generate('a'));
  assert.equal((await until((frame) => frame.id === 'a')).error!.code, 'invalid_api_key');
  socket.close();
});

test('limits hold on sockets too, and the client library sends a key', async () => {
  const { key } = await make({ name: 'app', rpm: 1 });
  const client = await SluiceClient.connect(server.url, {
    apiKey: key,
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });
  const { usage } = await client.complete({ prompt: 'abc', max_tokens: 2 }).done;
  assert.ok(usage.cost! > 0);
  await assert.rejects(client.complete({ prompt: 'abc' }).done, { code: 'rate_limit_exceeded' });
  client.close();
});
