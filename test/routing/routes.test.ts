import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.js';
import { fails, hangs, type Reply, StubUpstream, says } from '../support/upstream.js';

interface Answer {
  model: string;
  choices: { message: { content: string } }[];
  error: { code: string; message: string; param: string | null };
  sluice: {
    model: string;
    route: string;
    variant: string | null;
    cost_dollars: number;
    quality: number | null;
    steps: { model: string; outcome: string; quality: number | null }[];
  };
}

/** Models a, b and c: upstreams of rising price. */
async function fleet(
  replies: Record<string, Reply>,
  settings: Record<string, unknown> = {},
  specs: Record<string, object> = {},
) {
  const upstreams: Record<string, StubUpstream> = {};
  const models = [];
  for (const [position, [id, reply]] of Object.entries(replies).entries()) {
    const upstream = await StubUpstream.start(reply);
    upstreams[id] = upstream;
    models.push({
      id,
      price: { input: 10 ** position, output: 10 ** position },
      upstream: { url: upstream.url, retries: 0, probeIntervalMs: 0 },
      ...specs[id],
    });
  }
  const server = await startTestServer({
    withoutEngine: true,
    settings: { 'routing.models': models, ...settings },
  });
  return {
    server,
    upstreams,
    async [Symbol.asyncDispose]() {
      server.close();
      await server.server.router.fleet.close();
      for (const upstream of Object.values(upstreams)) await upstream[Symbol.asyncDispose]();
    },
  };
}

async function ask(server: TestServer, body: object) {
  const response = await server.post('/v1/chat/completions', {
    messages: [{ role: 'user', content: 'hi' }],
    ...body,
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

const abc = { a: says('from a'), b: says('from b'), c: says('from c') };

test('a named model, an alias, and the default', async () => {
  await using world = await fleet(abc, { 'routing.default': 'b' }, { c: { aliases: ['sea'] } });
  assert.equal((await ask(world.server, { model: 'a' })).body.model, 'a');
  assert.equal((await ask(world.server, { model: 'sea' })).body.model, 'c');
  assert.equal((await ask(world.server, {})).body.model, 'b');
  const unknown = await ask(world.server, { model: 'nobody' });
  assert.equal(unknown.status, 404);
  assert.match(unknown.body.error.message, /a, b, c/);
});

test('auto takes the cheapest that can: capability, context, price', async () => {
  await using world = await fleet(abc, {}, { a: { capabilities: ['chat'] }, b: { contextTokens: 50 } });
  const plain = await ask(world.server, { model: 'auto' });
  assert.equal(plain.body.model, 'a');
  assert.equal(plain.headers.get('x-sluice-model'), 'a');
  assert.equal(plain.headers.get('x-sluice-route'), 'auto');
  assert.equal((await ask(world.server, { model: 'auto', logprobs: true })).body.model, 'b');
  const long = [{ role: 'user', content: 'word '.repeat(100) }];
  assert.equal((await ask(world.server, { model: 'auto', logprobs: true, messages: long })).body.model, 'c');
  const dear = await ask(world.server, { model: 'auto', logprobs: true, messages: long, max_cost: 1e-9 });
  assert.equal(dear.status, 400);
});

test('auto goes past what is down, and says so', async () => {
  await using world = await fleet({ ...abc, a: fails(500) });
  const { body } = await ask(world.server, { model: 'auto' });
  assert.equal(body.model, 'b');
  assert.deepEqual(
    body.sluice.steps.map(({ model, outcome }) => [model, outcome]),
    [
      ['a', 'upstream_failed'],
      ['b', 'answered'],
    ],
  );
  assert.ok(
    Math.abs(body.sluice.cost_dollars - (10 * 10) / 1e6) < 1e-12,
    '7 + 3 tokens at 10 dollars a million',
  );
});

test('max_cost leaves out the dear ones', async () => {
  await using world = await fleet(abc);
  const named = await ask(world.server, { model: 'c', max_tokens: 1000, max_cost: 0.01 });
  assert.equal(named.body.error.code, 'max_cost_exceeded');
  assert.equal(named.body.error.param, 'max_cost');
  const anyone = await ask(world.server, { model: 'c', fallbacks: ['a'], max_tokens: 1000, max_cost: 1e-9 });
  assert.match(anyone.body.error.message, /^The model a may cost/, 'the cheapest is named');
  assert.equal((await ask(world.server, { model: 'c', max_tokens: 10, max_cost: 0.01 })).status, 200);
});

test('fallbacks: the route’s and the request’s own, in their order', async () => {
  const routes = [{ name: 'r', models: ['a'], fallbacks: ['b'] }];
  await using world = await fleet(
    { a: fails(500), b: fails(401), c: says('from c') },
    { 'routing.routes': routes },
  );
  const { body } = await ask(world.server, { model: 'r', fallbacks: ['c'] });
  assert.deepEqual(
    body.sluice.steps.map(({ model, outcome }) => [model, outcome]),
    [
      ['a', 'upstream_failed'],
      ['b', 'upstream_misconfigured'],
      ['c', 'answered'],
    ],
  );
  const none = await ask(world.server, { model: 'r' });
  assert.equal(none.status, 503);
  assert.equal(none.body.error.code, 'no_healthy_models');
  assert.match(none.body.error.message, /a \(upstream_failed\), b \(upstream_misconfigured\)/);
  const wrong = await ask(world.server, { model: 'a', fallbacks: ['nobody'] });
  assert.equal(wrong.body.error.param, 'fallbacks.0');
});

test('the first that fails in a stream before a token is not seen; headers name who answered', async () => {
  await using world = await fleet({ a: fails(503), b: says('from b') });
  const response = await world.server.post('/v1/chat/completions', {
    model: 'auto',
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
  });
  assert.equal(response.headers.get('x-sluice-model'), 'b');
  assert.doesNotMatch(await response.text(), /"model":"a"/);
});

test('a weighted split: sticky by user, the variant recorded, the other serves where one is down', async () => {
  const members = [
    { model: 'a', weight: 50 },
    { model: 'b', weight: 50 },
  ];
  const routes = [{ name: 'split', strategy: 'weighted', models: members }];
  await using world = await fleet({ a: says('from a'), b: says('from b') }, { 'routing.routes': routes });
  const variants = new Map<string, string>();
  for (let index = 0; index < 40; index += 1) {
    const user = `user-${index % 20}`;
    const { body, headers } = await ask(world.server, { model: 'split', user });
    assert.equal(headers.get('x-sluice-variant'), body.model);
    assert.equal(body.sluice.variant, body.model);
    assert.equal(variants.get(user) ?? body.model, body.model, 'a user changed sides');
    variants.set(user, body.model);
  }
  assert.deepEqual(new Set(variants.values()), new Set(['a', 'b']));
  const metrics = await (await fetch(`${world.server.url}/metrics`)).text();
  assert.match(metrics, /sluice_routed_requests_total\{route="split",variant="a"\} \d+/);
  world.upstreams.a!.replies = [fails(500)];
  for (const user of variants.keys())
    assert.equal((await ask(world.server, { model: 'split', user })).body.model, 'b');
});

test('a canary that fails is taken back, and its users are served by the stable model meanwhile', async () => {
  const canary = { model: 'b', share: 1, minRequests: 5 };
  const routes = [{ name: 'r', strategy: 'canary', models: ['a'], canary }];
  const settings = { 'routing.routes': routes, 'routing.breakerFailures': 1000 };
  await using world = await fleet({ a: says('from a'), b: fails(500) }, settings);
  for (let index = 0; index < 8; index += 1) {
    const { body } = await ask(world.server, { model: 'r' });
    assert.equal(body.model, 'a');
    assert.equal(body.sluice.variant, 'stable');
  }
  assert.equal(world.upstreams.b!.calls.length, 5, 'no request after the rollback');
  const status = (await (await fetch(`${world.server.url}/admin/routes`)).json()) as {
    data: { canary: { rolled_back: string } }[];
  };
  assert.equal(status.data[0]!.canary.rolled_back, 'error_rate');
  world.upstreams.b!.replies = [says('from b')];
  const again = await fetch(`${world.server.url}/admin/routes/r`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(routes[0]),
  });
  assert.equal(again.status, 200);
  assert.equal((await ask(world.server, { model: 'r' })).body.sluice.variant, 'canary');
});

test('a canary whose breaker is open counts as failing', async () => {
  const canary = { model: 'b', share: 1, minRequests: 10 };
  const routes = [{ name: 'r', strategy: 'canary', models: ['a'], canary }];
  const settings = { 'routing.routes': routes, 'routing.breakerFailures': 2 };
  await using world = await fleet({ a: says('from a'), b: fails(500) }, settings);
  for (let index = 0; index < 10; index += 1) await ask(world.server, { model: 'r' });
  assert.equal(world.upstreams.b!.calls.length, 2);
  const status = await (await fetch(`${world.server.url}/admin/routes`)).text();
  assert.match(status, /"rolled_back":"error_rate"/);
});

test('fastest: each is measured once, then the quicker one is asked', async () => {
  const slow: Reply = (call, response) => void setTimeout(() => says('slow')(call, response), 500);
  await using world = await fleet({ a: slow, b: says('quick') });
  const answers = [];
  for (let index = 0; index < 6; index += 1)
    answers.push((await ask(world.server, { model: 'fastest' })).body.model);
  assert.deepEqual(answers, ['a', 'b', 'b', 'b', 'b', 'b']);
});

test('routes can be changed while the server runs, and mistakes are named', async () => {
  await using world = await fleet({ a: says('from a') });
  const put = (name: string, body: object) =>
    fetch(`${world.server.url}/admin/routes/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const wrong = await put('r', { name: 'r', models: ['nobody'] });
  assert.equal(wrong.status, 404);
  assert.equal((await put('r', { name: 'other', models: ['a'] })).status, 400);
  assert.equal((await put('a', { name: 'a', models: ['a'] })).status, 409);
  assert.equal((await put('r', { name: 'r', models: ['a'] })).status, 200);
  assert.equal((await ask(world.server, { model: 'r' })).body.sluice.route, 'r');
  assert.equal((await fetch(`${world.server.url}/admin/routes/r`, { method: 'DELETE' })).status, 200);
  assert.equal((await ask(world.server, { model: 'r' })).status, 404);
});

test('routes that name no model are refused at the start', async () => {
  const routes = [{ name: 'r', models: ['nobody'] }];
  await assert.rejects(
    fleet({ a: hangs }, { 'routing.routes': routes }),
    /^ConfigError: test: routing\.routes\.0: no model or alias "nobody"; there are a/,
  );
});
