import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { eventually } from '../support/eventually.js';
import { startWholeServer, type WholeServer } from '../support/whole-server.js';

/** OpenAI's own client against the real engine; openai-sdk.test.ts has the answers that need a script. */
let whole: WholeServer;
let client: OpenAI;
before(async () => {
  // One at a time and one waiting: a third request is refused.
  whole = await startWholeServer({
    'engine.maxSequences': 1,
    'engine.maxQueue': 1,
    'routing.maxWaiting': 0,
    'http.pingIntervalMs': 100,
  });
  client = new OpenAI({ baseURL: `${whole.url}/v1`, apiKey: 'unused', maxRetries: 0 });
});
after(() => whole.close());

const model = 'tiny';
const messages = [{ role: 'user' as const, content: 'Say something.' }];
/** Fields of ours that the SDK passes on. */
const toTheEnd = { ignore_eos: true } as object;

const idle = () => {
  const { running, waiting, pagesLive } = whole.model.engine.stats();
  return running === 0 && waiting === 0 && pagesLive === 0;
};

test('completions: streamed and whole are the same text', async () => {
  const body = { model, prompt: 'The capital', max_tokens: 12, temperature: 0, ...toTheEnd };
  const answer = await client.completions.create(body);
  const stream = await client.completions.create({
    ...body,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.text ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, answer.choices[0]!.text);
  assert.equal(answer.choices[0]!.finish_reason, 'length');
  assert.equal(usage?.completion_tokens, 12);
  assert.equal(usage?.prompt_tokens, answer.usage?.prompt_tokens);
});

test('chat: the helper that assembles a stream, log-probabilities', async () => {
  const body = {
    model,
    messages,
    max_tokens: 12,
    temperature: 0,
    logprobs: true,
    top_logprobs: 2,
    ...toTheEnd,
  };
  const answer = await client.chat.completions.create(body);
  const runner = client.chat.completions.stream(body);
  assert.equal((await runner.finalMessage()).content, answer.choices[0]!.message.content);
  const tokens = answer.choices[0]!.logprobs?.content ?? [];
  assert.equal(tokens.length, 12);
  for (const { logprob, top_logprobs } of tokens) {
    assert.equal(top_logprobs.length, 2);
    assert.ok(logprob <= 0 && logprob <= top_logprobs[0]!.logprob);
  }
});

test('errors name what is wrong', async () => {
  const refused = async (body: object, param: string, code: string) => {
    const request = client.completions.create({ model, prompt: 'a', ...body });
    await assert.rejects(request, (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error));
      assert.deepEqual([error.param, error.code], [param, code]);
      return true;
    });
  };
  await refused({ prompt: 'a'.repeat(40_000) }, 'prompt', 'context_length_exceeded');
  await refused({ max_tokens: 9000 }, 'max_tokens', 'context_length_exceeded');
  await refused({ logit_bias: { 999999: 1 } }, 'logit_bias.999999', 'invalid_value');
  await assert.rejects(client.completions.create({ model: 'other', prompt: 'a' }), OpenAI.NotFoundError);
});

test('a schema that means nothing is named, in a chat too', async () => {
  const schema = { type: 'nonsense' };
  const format = { type: 'json_schema' as const, json_schema: { name: 'x', schema } };
  const requests = [
    () => client.completions.create({ model, prompt: 'a', response_format: format } as never),
    () => client.chat.completions.create({ model, messages, response_format: format }),
  ];
  for (const request of requests) {
    await assert.rejects(request, (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error));
      assert.deepEqual([error.param, error.code], ['response_format', 'invalid_grammar']);
      assert.match(error.message, /^400 JSON schema error at #: unrecognized type nonsense$/);
      return true;
    });
  }
});

test('an error inside a stream is thrown', async () => {
  const body = { model, messages, max_tokens: 8000, ...toTheEnd, timeout_ms: 200 };
  const stream = await client.chat.completions.create({ ...body, stream: true });
  let chunks = 0;
  const read = async () => {
    for await (const _ of stream) chunks++;
  };
  await assert.rejects(
    read(),
    (error) => error instanceof OpenAI.APIError && error.code === 'deadline_exceeded',
  );
  assert.ok(chunks > 0);
});

test('leaving a stream frees its pages', async () => {
  const body = { model, prompt: 'a', max_tokens: 8000, ...toTheEnd };
  for await (const _ of await client.completions.create({ ...body, stream: true })) break;
  await eventually(idle);
});

test('a full server is 429, and a retry gets its turn', async () => {
  const occupy = () =>
    client.completions.create({ model, prompt: 'a', max_tokens: 8000, stream: true, ...toTheEnd });
  const streams = [await occupy(), await occupy()];
  await assert.rejects(client.completions.create({ model, prompt: 'b' }), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.code, 'queue_full');
    assert.ok(Number(error.headers.get('retry-after')) >= 1);
    return true;
  });
  const statuses: number[] = [];
  const makeRoom: typeof fetch = async (...args) => {
    const response = await fetch(...args);
    statuses.push(response.status);
    if (response.status === 429) for (const { controller } of streams) controller.abort();
    return response;
  };
  const patient = new OpenAI({
    baseURL: `${whole.url}/v1`,
    apiKey: 'unused',
    maxRetries: 5,
    fetch: makeRoom,
  });
  await patient.completions.create({ model, prompt: 'b', max_tokens: 1 });
  assert.equal(statuses[0], 429);
  assert.equal(statuses.at(-1), 200);
});
