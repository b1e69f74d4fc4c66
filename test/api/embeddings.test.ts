import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { tinyEncoder, tinyMaxTokens, tinySize } from '../support/checkpoint.js';
import { createTestEmbedder } from '../support/embedder.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** /v1/embeddings over HTTP, with a tiny encoder of random weights. */

interface Answer {
  object: string;
  model: string;
  data: { object: string; index: number; embedding: number[] }[];
  usage: { prompt_tokens: number; total_tokens: number; cost?: number };
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-embeddings-'));
let server: TestServer;
let embedder: ReturnType<typeof createTestEmbedder>;
let admin: string;
before(async () => {
  embedder = createTestEmbedder(await tinyEncoder(), { aliases: ['text-embedding-3-small'] });
  server = await startTestServer({
    embedder,
    dataFolder: folder,
    settings: {
      'embeddings.maxInputs': 3,
      'cost.localPrice': { input: 1000, output: 0, cachedInput: 1000 }, // $0.001 a token
    },
  });
  admin = await makeKey({ name: 'root', admin: true });
});
after(async () => {
  await server.close();
  await embedder.close();
  rmSync(folder, { recursive: true });
});

async function makeKey(fields: object): Promise<string> {
  const init = admin === undefined ? {} : { headers: { authorization: `Bearer ${admin}` } };
  const response = await server.post('/admin/keys', fields, init);
  assert.equal(response.status, 200);
  return ((await response.json()) as { key: string }).key;
}

const post = (body: object, key = admin) =>
  server.post('/v1/embeddings', body, { headers: { authorization: `Bearer ${key}` } });

async function ask(body: object, key = admin): Promise<Answer> {
  const response = await post(body, key);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Answer;
}

test('a text, several, and their tokens', async () => {
  const one = await ask({ input: 'the cat', model: 'tiny-encoder' });
  assert.equal(one.object, 'list');
  assert.equal(one.model, 'tiny-encoder');
  assert.equal(one.data[0]!.embedding.length, tinySize);
  assert.deepEqual(one.usage, { prompt_tokens: 4, total_tokens: 4, cost: 0.004 }); // two pieces, and one on each side
  const several = await ask({ input: ['hello world', 'the cat'] });
  assert.deepEqual(
    several.data.map(({ index }) => index),
    [0, 1],
  );
  const [tokens] = await embedder.tokenize(['the cat'], new AbortController().signal);
  const byTokens = await ask({ input: [Array.from(tokens!)] });
  for (const answer of [several.data[1]!, byTokens.data[0]!])
    answer.embedding.forEach((value, i) => {
      assert.ok(Math.abs(value - one.data[0]!.embedding[i]!) < 1e-3);
    });
});

test("OpenAI's client, which asks for base64, sees the same numbers", async () => {
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: admin, maxRetries: 0 });
  const viaClient = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello world' });
  const floats = await ask({ input: 'hello world', encoding_format: 'float' });
  assert.deepEqual(viaClient.data[0]!.embedding, floats.data[0]!.embedding);
});

test('what it refuses', async () => {
  const long = 'cat '.repeat(tinyMaxTokens);
  const cases: [object, number, string, string][] = [
    [{ input: '' }, 400, 'invalid_value', 'input'],
    [{ input: [] }, 400, 'invalid_value', 'input'],
    [{ input: ['a', 'b', 'c', 'd'] }, 400, 'invalid_value', 'input'],
    [{ input: [[1_000_000]] }, 400, 'invalid_value', 'input.0'],
    [{ input: 'a', dimensions: 8 }, 400, 'unsupported_parameter', 'dimensions'],
    [{ input: ['a', long] }, 400, 'context_length_exceeded', 'input.1'],
    [{ input: 'a', model: 'stub' }, 400, 'invalid_value', 'model'], // it generates text
    [{ input: 'a', model: 'nope' }, 404, 'model_not_found', 'model'],
  ];
  for (const [body, status, code, param] of cases) {
    const response = await post(body);
    assert.equal(response.status, status, JSON.stringify(body).slice(0, 100));
    const { error } = (await response.json()) as { error: { code: string; param: string } };
    assert.equal(error.code, code);
    assert.equal(error.param, param);
  }
  const cut = await ask({ input: long, truncate: true, dimensions: tinySize });
  assert.equal(cut.usage.prompt_tokens, tinyMaxTokens);
});

test('keys, limits, budgets and the ledger hold for embeddings too', async () => {
  assert.equal((await server.post('/v1/embeddings', { input: 'a' })).status, 401);
  assert.equal((await post({ input: 'a' }, await makeKey({ name: 'other', models: ['stub'] }))).status, 403);
  const few = await makeKey({ name: 'few', organisation: 'few', tpm: 8 });
  const first = await post({ input: 'the cat' }, few);
  assert.equal(first.headers.get('x-ratelimit-remaining-tokens'), '4');
  await first.body!.cancel();
  assert.equal((await post({ input: 'the cat sat' }, few)).status, 429);
  const poor = await makeKey({ name: 'poor', organisation: 'poor', budget: 0.003 });
  assert.equal((await post({ input: 'the cat' }, poor)).status, 402);
  const usage = await fetch(`${server.url}/admin/usage?by=organisation,model`, {
    headers: { authorization: `Bearer ${admin}` },
  });
  const { data } = (await usage.json()) as { data: Record<string, unknown>[] };
  const row = data.find(({ organisation }) => organisation === 'few')!;
  assert.equal(row.model, 'tiny-encoder');
  assert.equal(row.input_tokens, 4);
  assert.equal(data.filter(({ organisation }) => organisation === 'poor').length, 0);
});

test('the model is listed', async () => {
  const init = { headers: { authorization: `Bearer ${admin}` } };
  const list = (await (await fetch(`${server.url}/v1/models`, init)).json()) as {
    data: { id: string; task: string }[];
  };
  assert.deepEqual(
    list.data.map(({ id, task }) => [id, task]),
    [
      ['stub', 'generate'],
      ['tiny-encoder', 'embed'],
    ],
  );
  const card = await (await fetch(`${server.url}/v1/models/text-embedding-3-small`, init)).json();
  assert.equal((card as { max_model_len: number }).max_model_len, tinyMaxTokens);
});

test('a server without an embedding model says how to get one', async () => {
  using bare = await startTestServer();
  const response = await bare.post('/v1/embeddings', { input: 'a' });
  assert.equal(response.status, 404);
  assert.match(await response.text(), /--embeddings/);
});
