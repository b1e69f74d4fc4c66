import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startTestServer({ modelId: 'org/stub', settings: { 'requests.maxPinnedPrefixes': 3 } });
});
after(() => server.close());

async function json(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}

test('models are listed and described, also where the name holds a slash', async () => {
  const { data } = (await json(fetch(`${server.url}/v1/models`))) as { data: Record<string, unknown>[] };
  assert.equal(data.length, 1);
  assert.equal(data[0]!.id, 'org/stub');
  assert.equal(data[0]!.max_model_len, 2048);
  assert.deepEqual(await json(fetch(`${server.url}/v1/models/org%2Fstub`)), data[0]);
  assert.deepEqual(await json(fetch(`${server.url}/v1/models/org/stub`)), data[0]);
  assert.equal((await fetch(`${server.url}/v1/models/other`)).status, 404);
  assert.equal((await fetch(`${server.url}/v1/models/%zz`)).status, 400);
});

test('tokenize and detokenize undo each other', async () => {
  const { tokens, count } = await json(server.post('/tokenize', { content: 'hé', add_special: false }));
  assert.deepEqual(tokens, [104, 195, 169]);
  assert.equal(count, 3);
  assert.deepEqual(await json(server.post('/detokenize', { tokens })), { content: 'hé' });
});

test('tokenize adds BOS by default and shows pieces when asked', async () => {
  assert.deepEqual((await json(server.post('/tokenize', { prompt: 'h' }))).tokens, [256, 104]);
  assert.deepEqual((await json(server.post('/tokenize', { content: 'hé', with_pieces: true }))).tokens, [
    { id: 256, piece: '<bos>' },
    { id: 104, piece: 'h' },
    { id: 195, piece: 'bytes:\\xc3' },
    { id: 169, piece: 'bytes:\\xa9' },
  ]);
});

test('detokenize shows control tokens when asked, refuses what is not in the vocabulary', async () => {
  assert.deepEqual(await json(server.post('/detokenize', { tokens: [256, 104], special: true })), {
    content: '<bos>h',
  });
  const { error } = (await json(server.post('/detokenize', { tokens: [104, 258] }))) as {
    error: { param: string };
  };
  assert.equal(error.param, 'tokens.1');
  assert.equal((await server.post('/tokenize', {})).status, 400);
});

test('a pinned prefix goes before the prompt, and its pages can be released', async () => {
  const pinned = await json(server.post('/v1/prefixes', { id: 'p1', prompt: 'Once ' }));
  assert.deepEqual(pinned, {
    id: 'p1',
    object: 'prefix',
    created: 0,
    model: 'org/stub',
    tokens: 6,
    pages: 1,
    hits: 0,
  });
  await server.post('/v1/completions', { prompt: 'upon', prefix_id: 'p1', max_tokens: 1 });
  assert.deepEqual([...server.engine.requests.at(-1)!.prompt], [256, ...Buffer.from('Once upon')]);

  const { data } = (await json(fetch(`${server.url}/v1/prefixes`))) as { data: unknown[] };
  assert.deepEqual(data, [pinned]);
  assert.deepEqual(await json(fetch(`${server.url}/v1/prefixes/p1`, { method: 'DELETE' })), {
    id: 'p1',
    object: 'prefix',
    deleted: true,
  });
  assert.equal((await fetch(`${server.url}/v1/prefixes/p1`, { method: 'DELETE' })).status, 404);
  assert.equal((await server.post('/v1/completions', { prompt: 'x', prefix_id: 'p1' })).status, 404);
});

test('a prefix of messages goes before a chat, and only there', async () => {
  const system = { role: 'system', content: 'Be brief.' };
  const user = { role: 'user', content: 'Hi' };
  await server.post('/v1/prefixes', { id: 'chat', messages: [system] });
  assert.equal(server.text.calls.chat.at(-1)!.add_generation_prompt, false);
  await server.post('/v1/chat/completions', { messages: [user], prefix_id: 'chat', max_tokens: 1 });
  assert.deepEqual(server.text.calls.chat.at(-1)!.messages, [system, user]);
  const wrong = await server.post('/v1/completions', { prompt: 'x', prefix_id: 'chat' });
  assert.equal(wrong.status, 400);
  await fetch(`${server.url}/v1/prefixes/chat`, { method: 'DELETE' });
});

test('prefixes are bounded, unique and well-formed', async () => {
  const create = async (body: object) => (await server.post('/v1/prefixes', body)).status;
  assert.equal(await create({ id: 'a', prompt: 'x' }), 200);
  assert.equal(await create({ id: 'a', prompt: 'x' }), 409);
  assert.equal(await create({ id: 'b', prompt: [1, 2] }), 200);
  assert.equal(await create({ id: 'c', prompt: [999] }), 400);
  assert.equal(await create({ prompt: 'x' }), 200);
  assert.equal(await create({ id: 'd', prompt: 'x' }), 400);
  assert.equal(await create({ id: 'no/slash', prompt: 'x' }), 400);
  assert.equal(await create({}), 400);
  assert.equal(await create({ prompt: 'x', messages: [{ role: 'user', content: 'x' }] }), 400);
  assert.equal(await create({ prompt: 'x'.repeat(3000) }), 400);
});

test('metrics have the promised names, labels and buckets', async () => {
  await server.post('/v1/completions', { prompt: 'a', max_tokens: 3 });
  await server.post('/v1/completions', { prompt: 'a', model: 'made-up' });
  const response = await fetch(`${server.url}/metrics`);
  assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const expected = [
    /^llm_requests_total\{model="org\/stub",status="ok"\} \d+$/m,
    /^llm_requests_total\{model="unknown",status="model_not_found"\} \d+$/m,
    /^llm_tokens_total\{model="org\/stub",direction="input"\} \d+$/m,
    /^llm_tokens_total\{model="org\/stub",direction="output"\} \d+$/m,
    /^sluice_time_to_first_token_seconds_count\{model="org\/stub"\} \d+$/m,
    /^sluice_inter_token_latency_seconds_count\{model="org\/stub"\} \d+$/m,
    /^sluice_sequences\{model="org\/stub",state="waiting"\} 0$/m,
    /^sluice_queue_depth\{model="org\/stub"\} 0$/m,
    /^sluice_kv_pages\{model="org\/stub",state="cached"\} 6$/m,
    /^sluice_step_seconds_total\{model="org\/stub",phase="sample"\} 3$/m,
    /^sluice_prefix_hits_total\{model="org\/stub"\} 5$/m,
    /^sluice_preemptions_total\{model="org\/stub"\} 2$/m,
    /^sluice_admission_rejections_total\{model="org\/stub"\} 0$/m,
    /^sluice_http_requests_total\{route="\/v1\/models\/:model",method="GET",status="404"\} \d+$/m,
  ];
  for (const pattern of expected) assert.match(text, pattern);
  const buckets = [
    ...text.matchAll(/^llm_request_latency_seconds_bucket\{le="([^"]+)",model="org\/stub"\}/gm),
  ];
  assert.deepEqual(
    buckets.map(([, le]) => le),
    ['0.1', '0.5', '1', '2', '5', '10', '30', '60', '+Inf'],
  );
  assert.doesNotMatch(text, /made-up/, 'names that clients make up are no labels');
});

test('counters that mirror the engine do not grow by being read', async () => {
  const read = async () =>
    /sluice_preemptions_total\{.*\} (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())![1];
  assert.equal(await read(), '2');
  assert.equal(await read(), '2');
});
