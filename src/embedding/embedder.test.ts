import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { tinyEncoder, tinyMaxTokens, tinySize } from '../../test/support/checkpoint.js';
import { createTestEmbedder } from '../../test/support/embedder.js';
import { fixture } from '../../test/support/gguf/fixtures.js';
import type { EmbedderOptions } from './embedder.js';

/** The thread, its queue and its life, with a tiny encoder of random weights. */

const never = new AbortController().signal;
const path = await tinyEncoder();

function open(t: TestContext, options: Partial<EmbedderOptions> = {}) {
  const embedder = createTestEmbedder(path, options);
  t.after(() => embedder.close());
  return embedder;
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('it is loaded with the first use', async (t) => {
  const embedder = open(t);
  assert.equal(embedder.model, null);
  const [vector] = await embedder.embed(['hello world'], never);
  assert.equal(vector!.length, tinySize);
  assert.deepEqual(embedder.model!.maxTextTokens, tinyMaxTokens);
});

test('many calls at once get each their own vectors, in order', async (t) => {
  const embedder = open(t);
  const texts = Array.from({ length: 40 }, (_, i) => `cat ${i} sat on mat ${i * 7}`);
  const alone: Float32Array[] = [];
  for (const text of texts) alone.push((await embedder.embed([text], never))[0]!);
  const calls = [texts.slice(0, 1), texts.slice(1, 30), texts.slice(30)];
  const together = (await Promise.all(calls.map((call) => embedder.embed(call, never)))).flat();
  for (const [i, vector] of together.entries()) assert.ok(dot(vector, alone[i]!) > 0.9999, texts[i]);
});

test('a text that is too long is refused, or cut where the caller says so', async (t) => {
  const embedder = open(t);
  const long = 'cat '.repeat(tinyMaxTokens);
  await assert.rejects(embedder.embed(['cat', long], never), {
    code: 'context_length_exceeded',
    param: 'input.1',
  });
  const [cut, whole] = await embedder.embed([long, 'cat '.repeat(tinyMaxTokens - 2)], never, {
    truncate: true,
  });
  assert.ok(dot(cut!, whole!) > 0.9999);
});

test('tokens that the model has not are refused', async (t) => {
  const embedder = open(t);
  for (const tokens of [[-1], [1_000_000], []])
    await assert.rejects(embedder.embedTokens([Int32Array.from(tokens)], never), { code: 'invalid_value' });
});

test('more texts than may wait are refused, and later ones are not', async (t) => {
  const embedder = open(t, { maxQueuedTexts: 4 });
  const texts = ['a', 'b', 'c'];
  await embedder.load();
  const first = embedder.embed(texts, never);
  await assert.rejects(embedder.embed(texts, never), { code: 'queue_full', retryAfterSeconds: 1 });
  assert.equal((await first).length, 3);
  assert.equal((await embedder.embed(texts, never)).length, 3);
});

test('a call that is given up ends at once', async (t) => {
  const embedder = open(t);
  await embedder.load();
  const abort = new AbortController();
  const given = embedder.embed(['a'], abort.signal);
  abort.abort();
  await assert.rejects(given, { code: 'cancelled' });
  assert.equal((await embedder.embed(['b'], never)).length, 1);
});

test('a model that generates text, or that is not there, is not ready', async (t) => {
  for (const modelPath of [fixture('llama'), '/nonexistent.gguf']) {
    const embedder = open(t, { modelPath });
    await assert.rejects(embedder.embed(['a'], never), { code: 'model_not_ready' });
  }
});

test('after close() nothing is begun', async (t) => {
  const embedder = open(t);
  await embedder.load();
  const pending = embedder.embed(['a'], never).catch((error: unknown) => error);
  await embedder.close();
  await pending;
  await assert.rejects(embedder.embed(['a'], never), { code: 'shutting_down' });
});
