import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: OpenAI;
before(async () => {
  server = await startTestServer({ aliases: ['gpt-4o-mini'] });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0 });
});
after(() => server.close());

const messages = [{ role: 'user' as const, content: 'Hello' }];

test('completions', async () => {
  const answer = await client.completions.create({ model: 'stub', prompt: 'abc', max_tokens: 6 });
  assert.equal(answer.choices[0]!.text, 'abcabc');
  assert.equal(answer.usage?.completion_tokens, 6);
});

test('completions, streamed', async () => {
  const stream = await client.completions.create({
    model: 'stub',
    prompt: 'abc',
    max_tokens: 6,
    stream: true,
  });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
  assert.equal(text, 'abcabc');
});

test('chat, by an alias of the model', async () => {
  const answer = await client.chat.completions.create({ model: 'gpt-4o-mini', messages, max_tokens: 5 });
  assert.equal(answer.model, 'stub');
  assert.equal(answer.choices[0]!.message.content, 'user:');
});

test('chat, streamed with usage and log-probabilities', async () => {
  const stream = await client.chat.completions.create({
    model: 'stub',
    messages,
    max_tokens: 5,
    logprobs: true,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let tokens = 0;
  let completionTokens = 0;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    tokens += chunk.choices[0]?.logprobs?.content?.length ?? 0;
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
  }
  assert.equal(text, 'user:');
  assert.equal(tokens, 5);
  assert.equal(completionTokens, 5);
});

test('the streaming helper assembles the message', async () => {
  const runner = client.chat.completions.stream({ model: 'stub', messages, max_tokens: 5 });
  assert.equal((await runner.finalMessage()).content, 'user:');
});

test('models', async () => {
  const models = await client.models.list();
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['stub'],
  );
  assert.equal((await client.models.retrieve('stub')).object, 'model');
});

test('errors are the SDK’s own classes and name the parameter', async () => {
  const wrong = client.completions.create({ model: 'stub', prompt: 'a', temperature: 9 });
  await assert.rejects(wrong, (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, 'temperature');
    assert.equal(error.code, 'invalid_value');
    return true;
  });
  await assert.rejects(client.models.retrieve('nobody/such'), OpenAI.NotFoundError);
});

test('an error inside a stream is thrown', async () => {
  server.engine.failNext = { code: 'engine_failed', afterTokens: 2 };
  const stream = await client.chat.completions.create({ model: 'stub', messages, stream: true });
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, /Scripted/);
});

test('an aborted stream cancels the generation', async () => {
  using slow = await startTestServer({ delayMs: 1 });
  const other = new OpenAI({ baseURL: `${slow.url}/v1`, apiKey: 'unused' });
  const stream = await other.chat.completions.create({ model: 'stub', messages, stream: true });
  for await (const _ of stream) break;
  assert.equal(slow.engine.requests.length, 1);
  await slow.engine.drain();
  assert.equal(slow.engine.cancelled.length, 1);
});

test('a full queue is 429 with Retry-After, and a retry succeeds', async () => {
  using narrow = await startTestServer({ maxRunning: 1, delayMs: 1 });
  const patient = new OpenAI({ baseURL: `${narrow.url}/v1`, apiKey: 'unused', maxRetries: 5 });
  const first = patient.completions.create({ model: 'stub', prompt: 'a', max_tokens: 100 });
  const second = patient.completions.create({ model: 'stub', prompt: 'b', max_tokens: 1 });
  await Promise.all([first, second]);
  assert.equal(narrow.engine.stats().rejections > 0, true);
});
