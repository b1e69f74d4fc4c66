import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';

interface Completion {
  id: string;
  object: string;
  model: string;
  choices: { index: number; text: string; logprobs: unknown; finish_reason: string | null }[];
  usage?: Record<string, unknown> | null;
}

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

async function complete(body: object): Promise<Completion> {
  const response = await server.post('/v1/completions', body);
  assert.equal(response.status, 200);
  return (await response.json()) as Completion;
}

test('a completion has the shape of OpenAI’s', async () => {
  const { id, object, model, choices, usage } = await complete({ prompt: 'abc', max_tokens: 7 });
  assert.match(id, /^cmpl-[0-9a-f]{32}$/);
  assert.equal(object, 'text_completion');
  assert.equal(model, 'stub');
  assert.deepEqual(choices, [{ index: 0, text: 'abcabca', logprobs: null, finish_reason: 'length' }]);
  assert.deepEqual(usage, {
    prompt_tokens: 4, // with BOS
    completion_tokens: 7,
    total_tokens: 11,
    prompt_tokens_details: { cached_tokens: 3 },
  });
});

test('absent fields have the documented defaults', async () => {
  await complete({ prompt: 'defaults' });
  const request = server.engine.requests.at(-1)!;
  assert.equal(request.maxTokens, 1024);
  assert.equal(request.sampling.temperature, 0.7);
  assert.equal(request.tenant, 'default');
  assert.equal(request.priority, 1);
  assert.equal(request.cachePrompt, true);
});

test('null stands for an absent field', async () => {
  await complete({
    prompt: 'a',
    max_tokens: 3,
    temperature: null,
    stop: null,
    n: null,
    seed: null,
    logprobs: null,
  });
  assert.equal(server.engine.requests.at(-1)!.sampling.temperature, 0.7);
});

test('an omitted max_tokens is clamped to the context, an explicit excess is refused', async () => {
  const prompt = 'x'.repeat(1500);
  await complete({ prompt });
  assert.equal(server.engine.requests.at(-1)!.maxTokens, 2048 - 1501);
  const response = await server.post('/v1/completions', { prompt, max_tokens: 1024 });
  assert.equal(response.status, 400);
  const { error } = (await response.json()) as { error: { code: string; param: string } };
  assert.equal(error.code, 'context_length_exceeded');
  assert.equal(error.param, 'max_tokens');
});

test('several prompts and choices are numbered prompt by prompt', async () => {
  const { choices, usage } = await complete({ prompt: ['ab', 'cd'], n: 2, max_tokens: 2 });
  assert.deepEqual(
    choices.map(({ index, text }) => [index, text]),
    [
      [0, 'ab'],
      [1, 'ab'],
      [2, 'cd'],
      [3, 'cd'],
    ],
  );
  assert.equal(usage?.completion_tokens, 8);
});

test('prompts may be token ids', async () => {
  const one = await complete({ prompt: [104, 105], max_tokens: 2 });
  assert.equal(one.choices[0]!.text, 'hi');
  assert.deepEqual([...server.engine.requests.at(-1)!.prompt], [104, 105], 'no BOS is added');
  const two = await complete({ prompt: [[104], [105]], max_tokens: 1 });
  assert.deepEqual(
    two.choices.map(({ text }) => text),
    ['h', 'i'],
  );
});

test('echo with log-probabilities covers the prompt', async () => {
  const { choices } = await complete({ prompt: 'aé', max_tokens: 1, echo: true, logprobs: 1 });
  const [choice] = choices;
  assert.equal(choice!.text, 'aéa');
  assert.deepEqual(choice!.logprobs, {
    tokens: ['<bos>', 'a', 'bytes:\\xc3', 'bytes:\\xa9', 'a'],
    token_logprobs: [null, -0.97, -1.95, -1.69, -0.97],
    top_logprobs: [
      null,
      { a: -0.97 },
      { a: -0.97, 'bytes:\\xc3': -1.95 },
      { a: -0.97, 'bytes:\\xa9': -1.69 },
      { a: -0.97 },
    ],
    text_offset: [0, 0, 1, 2, 2],
  });
});

test('echo with max_tokens 0 yields the prompt alone', async () => {
  const { choices, usage } = await complete({ prompt: 'only', max_tokens: 0, echo: true });
  assert.equal(choices[0]!.text, 'only');
  assert.equal(choices[0]!.finish_reason, 'length');
  assert.equal(usage?.completion_tokens, 0);
});

test('echo of token ids shows their text', async () => {
  const { choices } = await complete({ prompt: [256, 104, 105], max_tokens: 1, echo: true });
  assert.equal(choices[0]!.text, 'hih');
});

test('stop strings, seeds and sampling fields reach the engine', async () => {
  await complete({
    prompt: 'a',
    max_tokens: 1,
    stop: ['x', 'y'],
    seed: -1,
    top_k: 5,
    top_p: 0.5,
    min_p: 0.1,
    repeat_penalty: 1.1,
    frequency_penalty: 0.5,
    presence_penalty: -0.5,
    logit_bias: { 97: -100 },
    ignore_eos: true,
    session_id: 's',
    priority: 0,
    cache_prompt: false,
    logprobs: 2,
  });
  const request = server.engine.requests.at(-1)!;
  assert.deepEqual(request.stop, ['x', 'y']);
  assert.deepEqual(request.sampling, {
    temperature: 0.7,
    topK: 5,
    topP: 0.5,
    minP: 0.1,
    repeatPenalty: 1.1,
    frequencyPenalty: 0.5,
    presencePenalty: -0.5,
    seed: 0xffffffff,
    logitBias: [{ token: 97, bias: -100 }],
    ignoreEos: true,
    topLogprobs: 2,
    grammar: '',
    grammarLazy: false,
    grammarTriggers: [],
  });
  assert.equal(request.sessionId, 's');
  assert.equal(request.priority, 0);
  assert.equal(request.cachePrompt, false);
});

test('timeout_ms and deadline become one deadline', async () => {
  const before = Date.now();
  await complete({ prompt: 'a', max_tokens: 1, timeout_ms: 5000 });
  const { deadlineMs } = server.engine.requests.at(-1)!;
  const isNear = (oneMs: number, otherMs: number) => Math.abs(oneMs - otherMs) < 1000;
  assert.ok(isNear(deadlineMs!, before + 5000));
  await complete({ prompt: 'a', max_tokens: 1, timeout_ms: 5000, deadline: before + 3000 });
  assert.ok(isNear(server.engine.requests.at(-1)!.deadlineMs!, before + 3000));
});

test('a grammar or a schema constrains the answer', async () => {
  await complete({ prompt: 'a', max_tokens: 1, grammar: 'root ::= "a"' });
  assert.equal(server.engine.requests.at(-1)!.sampling.grammar, 'root ::= "a"');
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  await complete({
    prompt: 'a',
    max_tokens: 1,
    response_format: { type: 'json_schema', json_schema: { schema } },
  });
  assert.equal(server.engine.requests.at(-1)!.sampling.grammar, 'root ::= "schema"');
  assert.deepEqual(JSON.parse(server.text.calls.schemas.at(-1)!), schema);
});

test('a stream says the same as the whole answer, ends with usage and [DONE]', async () => {
  const body = { prompt: 'naïve 🙂 ', max_tokens: 60, n: 2, seed: 1, cache: false };
  const whole = await complete(body);
  const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
  const response = await server.post('/v1/completions', streamed);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const events = (await sseEvents(response)) as Completion[];
  assert.equal(events.pop(), '[DONE]');
  const last = events.pop()!;
  assert.deepEqual(last.choices, []);
  assert.deepEqual(last.usage, whole.usage);
  for (const choice of whole.choices) {
    const own = events.flatMap((event) => event.choices).filter(({ index }) => index === choice.index);
    assert.equal(own.map(({ text }) => text).join(''), choice.text);
    assert.deepEqual(
      own.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== null),
      ['length'],
    );
    assert.ok(own.length > 10, 'text comes in pieces');
  }
  assert.ok(events.every(({ usage }) => usage === null));
  assert.equal(new Set(events.map(({ id }) => id)).size, 1);
});

test('a stream without include_usage has no usage', async () => {
  const events = await sseEvents(
    await server.post('/v1/completions', { prompt: 'a', max_tokens: 2, stream: true }),
  );
  assert.equal(events.filter((event) => event === '[DONE]').length, 1);
  assert.ok(events.every((event) => event === '[DONE]' || !('usage' in (event as object))));
});

test('streamed log-probabilities are those of the whole answer', async () => {
  const body = { prompt: 'añ', max_tokens: 5, logprobs: 2, echo: true };
  const whole = (await complete(body)).choices[0]!.logprobs as Record<string, unknown[]>;
  const events = (await sseEvents(
    await server.post('/v1/completions', { ...body, stream: true }),
  )) as Completion[];
  const parts = events
    .slice(0, -1)
    .map(({ choices }) => choices[0]!.logprobs as Record<string, unknown[]> | null)
    .filter((part) => part !== null);
  for (const field of Object.keys(whole)) {
    assert.deepEqual(
      parts.flatMap((part) => part[field] ?? []),
      whole[field],
      field,
    );
  }
});

test('a failure before the first token has its status, one after it comes in the stream', async () => {
  server.engine.failNext = { code: 'engine_failed', afterTokens: 0 };
  const early = await server.post('/v1/completions', { prompt: 'a', stream: true });
  assert.equal(early.status, 500);
  server.engine.failNext = { code: 'engine_failed', afterTokens: 2 };
  const late = await server.post('/v1/completions', { prompt: 'a', stream: true });
  assert.equal(late.status, 200);
  const events = (await sseEvents(late)) as (Completion & { error?: { code: string } })[];
  assert.equal(events.at(-1), '[DONE]');
  assert.equal(events.at(-2)!.error?.code, 'engine_failed');
  assert.equal(events.filter((event) => (event as unknown) === '[DONE]').length, 1);
});

test('a failure of one prompt ends all', async () => {
  server.engine.failNext = { code: 'deadline_exceeded', afterTokens: 1 };
  const response = await server.post('/v1/completions', { prompt: ['a', 'b', 'c'], max_tokens: 1000 });
  assert.equal(response.status, 504);
  assert.equal(server.engine.running, 0);
});
