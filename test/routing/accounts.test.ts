import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';
import { breaksOffAfter, fails, type Reply, StubUpstream, says } from '../support/upstream.js';

/** Where routes and accounts meet: who may use what, and who pays for which try. */

const folder = mkdtempSync(join(tmpdir(), 'sluice-accounts-'));
const upstreams = new Map<string, StubUpstream>();
let server: TestServer;
let admin: string;

const priced = (dollars: number) => ({ input: dollars, output: dollars });

before(async () => {
  for (const id of ['cheap', 'dear', 'judge', 'unpriced']) upstreams.set(id, await StubUpstream.start());
  const prices: Record<string, object> = { cheap: priced(1), dear: priced(100), judge: priced(10) };
  server = await startTestServer({
    dataFolder: folder,
    aliases: ['here'],
    settings: {
      'cost.prices': { stub: priced(2) },
      'routing.models': [...upstreams].map(([id, { url }]) => ({
        id,
        aliases: [`${id}-alias`],
        ...(prices[id] ? { price: prices[id] } : {}),
        upstream: { url, retries: 0, probeIntervalMs: 0 },
      })),
      'routing.routes': [
        { name: 'both', models: ['cheap', 'dear'] },
        { name: 'dear-first', models: ['dear', 'cheap'] },
        { name: 'ladder', strategy: 'cascade', models: ['cheap', 'dear'], cascade: { estimator: 'rules' } },
        {
          name: 'judged',
          strategy: 'cascade',
          models: ['cheap', 'dear'],
          cascade: { estimator: 'judge', judge: 'judge' },
        },
      ],
    },
  });
  admin = (await make({ name: 'root', admin: true })).key;
});
after(async () => {
  await server.server.router.fleet.close();
  await server.close();
  for (const upstream of upstreams.values()) await upstream[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  for (const upstream of upstreams.values()) {
    upstream.calls.length = 0;
    upstream.replies = [says('A good answer to it.', { prompt_tokens: 10, completion_tokens: 5 })];
  }
});

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const ask = (key: string, body: object) =>
  server.post('/v1/completions', { prompt: 'abc', max_tokens: 10, ...body }, bearer(key));
const replyOf = (id: string, reply: Reply) => {
  upstreams.get(id)!.replies = [reply];
};
const callsOf = (id: string) => upstreams.get(id)!.calls;
const allCalls = () => [...upstreams.values()].reduce((sum, { calls }) => sum + calls.length, 0);

async function make(fields: object): Promise<{ id: string; key: string }> {
  const response = await server.post('/admin/keys', fields, admin === undefined ? {} : bearer(admin));
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as { id: string; key: string };
}

async function dataOf<T>(path: string): Promise<T[]> {
  const response = await fetch(`${server.url}${path}`, bearer(admin));
  return ((await response.json()) as { data: T[] }).data;
}

const rowsOf = async (id: string) =>
  (await dataOf<Record<string, unknown>>('/admin/usage?by=request')).filter(({ key }) => key === id);

const budgetOf = async (id: string) => {
  const all = await dataOf<{ scope: string; spent: number; reserved: number }>('/admin/budgets');
  const { spent, reserved } = all.find(({ scope }) => scope === `key:${id}`)!;
  return { spent, reserved };
};

interface Answer {
  usage: { cost: number };
  error: { code: string; message: string; param: string };
  sluice: { model: string; cost_dollars: number; steps: { model: string; cost_dollars: number }[] };
}
const bodyOf = async (response: Response) => (await response.json()) as Answer;

test("an upstream's own usage is settled against budget and ledger, whole and streamed", async () => {
  const { id, key } = await make({ name: 'a' });
  const cost = 15e-6;
  const whole = await ask(key, { model: 'cheap' });
  assert.equal((await bodyOf(whole)).usage.cost, cost);
  const events = (await sseEvents(
    await ask(key, { model: 'cheap', stream: true, stream_options: { include_usage: true } }),
  )) as Answer[];
  assert.equal(events.at(-2)!.usage.cost, cost);
  assert.deepEqual(await budgetOf(id), { spent: 2 * cost, reserved: 0 });
  for (const row of await rowsOf(id)) {
    assert.deepEqual(
      [row.model, row.input_tokens, row.output_tokens, row.cost, row.price, row.finish],
      ['cheap', 10, 5, cost, 'table', 'stop'],
    );
  }
});

test('an upstream whose price nobody stated costs the default, and the ledger says so', async () => {
  const { id, key } = await make({ name: 'a' });
  assert.equal((await bodyOf(await ask(key, { model: 'unpriced' }))).usage.cost, (10 * 10 + 5 * 30) / 1e6);
  const [row] = await rowsOf(id);
  assert.equal(row!.price, 'default');
});

test('the models of cost.prices and those of routing.models are priced by one table', async () => {
  const prices = await dataOf<{ id: string; price: { input: number; output: number } }>('/admin/models');
  assert.deepEqual(
    prices.map(({ id, price }) => [id, price.input, price.output]),
    [
      ['stub', 2, 2],
      ['cheap', 1, 1],
      ['dear', 100, 100],
      ['judge', 10, 10],
      ['unpriced', 10, 30],
    ],
  );
});

test('a fallback pays for what answered, and nothing for who never began', async () => {
  const { id, key } = await make({ name: 'a' });
  replyOf('dear', fails(500));
  const { usage, sluice } = await bodyOf(await ask(key, { model: 'dear-first' }));
  assert.equal(usage.cost, 15e-6);
  assert.deepEqual(
    sluice.steps.map(({ model, cost_dollars }) => [model, cost_dollars]),
    [
      ['dear', 0],
      ['cheap', 15e-6],
    ],
  );
  assert.deepEqual(await budgetOf(id), { spent: 15e-6, reserved: 0 });
  assert.equal((await rowsOf(id))[0]!.model, 'cheap');
});

test('an answer that breaks off is paid for as far as it came', async () => {
  const { id, key } = await make({ name: 'a' });
  replyOf('cheap', breaksOffAfter('Once'));
  const events = (await sseEvents(await ask(key, { model: 'cheap', stream: true }))) as Answer[];
  assert.equal(events.at(-2)!.error.code, 'upstream_failed');
  const [row] = await rowsOf(id);
  assert.deepEqual([row!.model, row!.finish, row!.output_tokens], ['cheap', 'upstream_failed', 1]);
  assert.ok((row!.input_tokens as number) > 0);
  assert.deepEqual(await budgetOf(id), { spent: row!.cost, reserved: 0 });
});

test('all steps of a cascade are paid for, and its judge', async () => {
  const { id, key } = await make({ name: 'a' });
  replyOf('cheap', says('', { prompt_tokens: 10, completion_tokens: 0 }));
  const ladder = await bodyOf(await ask(key, { model: 'ladder' }));
  assert.equal(ladder.sluice.model, 'dear');
  assert.equal(ladder.usage.cost, (10 * 1 + 15 * 100) / 1e6);
  assert.equal(ladder.sluice.cost_dollars, ladder.usage.cost);

  replyOf('judge', says('5', { prompt_tokens: 50, completion_tokens: 1 }));
  const judged = await bodyOf(await ask(key, { model: 'judged' }));
  assert.equal(judged.sluice.model, 'cheap');
  assert.equal(judged.usage.cost, (10 * 1 + 51 * 10) / 1e6);

  const rows = await rowsOf(id);
  assert.deepEqual(rows.map(({ model, input_tokens }) => [model, input_tokens]).sort(), [
    ['cheap', 60],
    ['dear', 20],
  ]);
  assert.ok(Math.abs((await budgetOf(id)).spent - ladder.usage.cost - judged.usage.cost) < 1e-12);
  const metrics = await (await fetch(`${server.url}/metrics`, bearer(admin))).text();
  assert.match(metrics, /llm_cost_dollars\{model="judge"\} 0\.00051\n/);
});

test('a budget that can’t pay a cascade’s next step ends it with the answer there is', async () => {
  const { id, key } = await make({ name: 'a', budget: 0.0005 });
  replyOf('cheap', says('', { prompt_tokens: 1, completion_tokens: 0 }));
  const { sluice } = await bodyOf(await ask(key, { model: 'ladder' }));
  assert.equal(sluice.model, 'cheap');
  assert.equal(callsOf('dear').length, 0);
  assert.deepEqual(await budgetOf(id), { spent: 1e-6, reserved: 0 });
});

test('a budget that can pay for nothing is a 402, before anybody is asked', async () => {
  const { id, key } = await make({ name: 'a', budget: 0.000001 });
  for (const model of ['cheap', 'both', 'ladder', 'judged']) {
    const refused = await ask(key, { model });
    assert.deepEqual(
      [refused.status, (await bodyOf(refused)).error.code],
      [402, 'insufficient_quota'],
      model,
    );
  }
  assert.equal(allCalls(), 0);
  assert.deepEqual(await budgetOf(id), { spent: 0, reserved: 0 });
  assert.deepEqual(await rowsOf(id), []);
});

test('models that a budget can’t pay for are passed over', async () => {
  const { key } = await make({ name: 'a', budget: 0.0005 });
  const { sluice } = await bodyOf(await ask(key, { model: 'dear-first' }));
  assert.equal(sluice.model, 'cheap');
  assert.equal(callsOf('dear').length, 0);
});

test('limits are a 429 before anybody is asked, and an upstream’s tokens count', async () => {
  const { key } = await make({ name: 'a', rpm: 1 });
  await ask(key, { model: 'cheap' });
  const refused = await ask(key, { model: 'both' });
  assert.deepEqual([refused.status, (await bodyOf(refused)).error.code], [429, 'rate_limit_exceeded']);
  const counted = await make({ name: 'b', tpm: 20 });
  const first = await ask(counted.key, { model: 'cheap' });
  assert.ok(first.headers.has('x-ratelimit-remaining-tokens'));
  const second = await ask(counted.key, { model: 'cheap' });
  assert.deepEqual([second.status, (await bodyOf(second)).error.code], [429, 'rate_limit_exceeded']);
  assert.equal(allCalls(), 2);
});

test('an answer of unsaid length is bounded upstream, for the budget’s sake', async () => {
  const { key } = await make({ name: 'a' });
  await server.post('/v1/completions', { model: 'cheap', prompt: 'abc' }, bearer(key));
  assert.equal(callsOf('cheap')[0]!.body.max_tokens, 1024);
});

test('running requests hold their dearest outcome', async () => {
  const { id, key } = await make({ name: 'a' });
  let release = () => {};
  replyOf('cheap', (call, response) => {
    release = () => says('x', { prompt_tokens: 1, completion_tokens: 1 })(call, response);
  });
  const running = ask(key, { model: 'cheap' });
  await eventually(() => callsOf('cheap').length === 1);
  assert.deepEqual(await budgetOf(id), { spent: 0, reserved: 14e-6 }); // 3 bytes and what begins them, 10 tokens
  release();
  await running;
  assert.deepEqual(await budgetOf(id), { spent: 2e-6, reserved: 0 });
});

test('a key’s models hold for names, aliases, routes, auto and fallbacks alike', async () => {
  const { key } = await make({ name: 'a', models: ['cheap'] });
  const codeOf = async (body: object) => {
    const response = await ask(key, body);
    const { error } = await bodyOf(response);
    return [response.status, error?.code];
  };
  const denied = [403, 'model_access_denied'];
  assert.deepEqual(await codeOf({ model: 'dear' }), denied);
  assert.deepEqual(await codeOf({ model: 'dear-alias' }), denied);
  assert.deepEqual(await codeOf({}), denied, 'the default model');
  assert.deepEqual(await codeOf({ model: 'cheap', fallbacks: ['dear'] }), denied);
  replyOf('cheap', fails(500));
  for (const model of ['auto', 'fastest', 'cascade', 'both', 'dear-first', 'ladder'])
    assert.notDeepEqual((await codeOf({ model }))[0], 200, model);
  assert.equal(callsOf('dear').length + callsOf('unpriced').length + server.engine.requests.length, 0);
  const nobody = await make({ name: 'n', models: ['unpriced'] });
  assert.equal((await ask(nobody.key, { model: 'both' })).status, 403);
  const { error } = await bodyOf(await ask(key, { model: 'nothing' }));
  assert.doesNotMatch(error.message, /dear|both/, 'names that it may not use are not told');
});

test('a key for a route or alias alone may use what is behind it, and nothing else', async () => {
  const { key } = await make({ name: 'a', models: ['ladder', 'dear-alias'] });
  assert.equal((await ask(key, { model: 'ladder' })).status, 200);
  assert.equal((await ask(key, { model: 'dear-alias' })).status, 200);
  for (const model of ['cheap', 'dear', 'auto', 'both'])
    assert.equal((await ask(key, { model })).status, 403, model);
  const listed = (await (await fetch(`${server.url}/v1/models`, bearer(key))).json()) as {
    data: { id: string }[];
  };
  assert.deepEqual(
    listed.data.map(({ id }) => id),
    ['dear'],
  );
});

test('models, routes and queues are an administrator’s to see and change', async () => {
  const { key } = await make({ name: 'a' });
  for (const path of ['/admin/models', '/admin/routes', '/admin/queue']) {
    assert.equal((await fetch(`${server.url}${path}`)).status, 401, path);
    assert.equal((await fetch(`${server.url}${path}`, bearer(key))).status, 403, path);
    assert.equal((await fetch(`${server.url}${path}`, bearer(admin))).status, 200, path);
  }
  const put = (who: string) =>
    server.post('/admin/routes/new', { name: 'new', models: ['cheap'] }, { method: 'PUT', ...bearer(who) });
  assert.equal((await put(key)).status, 403);
  assert.equal((await put(admin)).status, 200);
});

test('prompts are cut for models here only, and not refused before they are', async () => {
  const { key } = await make({ name: 'a' });
  const long = { prompt: `${'A sentence. '.repeat(2_000)}The end?`, max_tokens: 2, optimize_prompt: true };
  const refused = await ask(key, { ...long, model: 'cheap' });
  const { error } = await bodyOf(refused);
  assert.deepEqual(
    [refused.status, error.code, error.param],
    [400, 'unsupported_parameter', 'optimize_prompt'],
  );
  assert.equal(allCalls(), 0);
  const cut = await ask(key, { ...long, model: 'here' });
  assert.equal(cut.status, 200, await cut.clone().text());
});
