import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { SluiceClient } from '../../src/client/index.js';
import { eventually } from '../support/eventually.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';
import {
  begins,
  breaksOffAfter,
  certificateFile,
  fails,
  hangs,
  hangsUp,
  type Reply,
  StubUpstream,
  says,
} from '../support/upstream.js';

type Answer = {
  model: string;
  choices: {
    text: string;
    message: { content: string; tool_calls?: object[] };
    finish_reason: string;
    logprobs: unknown;
  }[];
  usage: { prompt_tokens: number; completion_tokens: number };
  error: { code: string; message: string };
  sluice: { model: string; steps: { model: string; outcome: string }[] };
};

const chat = { model: 'up', messages: [{ role: 'user', content: 'hi' }] };

/** A server whose only model is a scripted upstream. */
async function serve(
  upstream: StubUpstream,
  spec: object = {},
  settings: Record<string, unknown> = {},
): Promise<TestServer> {
  const models = [
    { id: 'up', upstream: { url: upstream.url, model: 'theirs', probeIntervalMs: 0, ...spec } },
  ];
  return startTestServer({ withoutEngine: true, settings: { 'routing.models': models, ...settings } });
}

async function ask(server: TestServer, body: object, path = '/v1/chat/completions') {
  const response = await server.post(path, body);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

test('an upstream answers under our name, whole', async () => {
  await using upstream = await StubUpstream.start(says('Hello there'));
  using server = await serve(upstream, { apiKey: 'secret', headers: { 'X-Team': 'blue' } });
  const { status, body } = await ask(server, {
    ...chat,
    temperature: 0.5,
    max_tokens: 9,
    stop: 'x',
    user: 'u',
  });
  assert.equal(status, 200);
  assert.equal(body.model, 'up');
  assert.equal(body.choices[0]!.message.content, 'Hello there');
  assert.equal(body.usage.prompt_tokens, 7);
  assert.equal(body.sluice, undefined);
  const [call] = upstream.calls;
  assert.equal(call!.path, '/v1/chat/completions');
  assert.equal(call!.headers.authorization, 'Bearer secret');
  assert.equal(call!.headers['x-team'], 'blue');
  assert.deepEqual(call!.body, {
    model: 'theirs',
    messages: [{ role: 'user', content: 'hi' }],
    max_tokens: 9,
    stop: ['x'],
    temperature: 0.5,
    user: 'u',
  });
});

test('what the client leaves out is left out upstream', async () => {
  await using upstream = await StubUpstream.start();
  using server = await serve(upstream);
  await ask(server, chat);
  assert.deepEqual(Object.keys(upstream.calls[0]!.body), ['model', 'messages']);
});

test('completions: several prompts, echo by us, usage estimated where the upstream gives none', async () => {
  const reply: Reply = (call, response) => {
    const prompts = call.body.prompt as string[];
    const choices = prompts.map((prompt, index) => ({ index, text: `-${prompt}`, finish_reason: 'length' }));
    response.end(JSON.stringify({ choices }));
  };
  await using upstream = await StubUpstream.start(reply);
  using server = await serve(upstream);
  const { body } = await ask(server, { prompt: ['ab', 'cd'], echo: true }, '/v1/completions');
  assert.deepEqual(
    body.choices.map(({ text, finish_reason }) => [text, finish_reason]),
    [
      ['ab-ab', 'length'],
      ['cd-cd', 'length'],
    ],
  );
  assert.equal(upstream.calls[0]!.body.echo, undefined);
  assert.deepEqual([body.usage.prompt_tokens, body.usage.completion_tokens], [2, 2]);
});

test('a stream over SSE, with the upstream’s usage at its end', async () => {
  await using upstream = await StubUpstream.start(says('one two three'));
  using server = await serve(upstream);
  const response = await server.post('/v1/chat/completions', {
    ...chat,
    stream: true,
    stream_options: { include_usage: true },
  });
  const events = (await sseEvents(response)) as {
    choices: { delta: { content?: string } }[];
    usage?: object;
  }[];
  const text = events
    .flatMap((event) => event.choices?.map(({ delta }) => delta.content ?? '') ?? [])
    .join('');
  assert.equal(text, 'one two three');
  assert.equal((events.at(-2)!.usage as Answer['usage']).completion_tokens, 3);
  assert.deepEqual(upstream.calls[0]!.body.stream_options, { include_usage: true });
});

test('a stream over WebSocket, and its cancel reaches the upstream', async () => {
  await using upstream = await StubUpstream.start(says('one two'), begins('first '));
  using server = await serve(upstream);
  const client = await SluiceClient.connect(server.url, { WebSocket: WebSocket as never });
  assert.equal(await client.chat(chat as never).text(), 'one two');
  const generation = client.chat(chat as never);
  for await (const token of generation) {
    assert.equal(token.text, 'first ');
    break; // cancels
  }
  const done = await generation.done;
  assert.equal(done.choices[0]!.finish_reason, 'cancelled');
  await upstream.calls[1]!.aborted;
  client.close();
});

test('a client that hangs up ends the upstream’s work', async () => {
  await using upstream = await StubUpstream.start(hangs);
  using server = await serve(upstream);
  const abort = new AbortController();
  const answer = server.post('/v1/chat/completions', chat, { signal: abort.signal });
  await eventually(() => upstream.calls.length === 1);
  abort.abort();
  await assert.rejects(answer);
  await upstream.calls[0]!.aborted;
});

test('tool calls and log-probabilities come through', async () => {
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
  const logprobs = {
    content: [{ token: 'é', logprob: -0.5, bytes: [195, 169], top_logprobs: [{ token: 'e', logprob: -1 }] }],
  };
  const reply: Reply = (_call, response) =>
    void response.end(
      JSON.stringify({
        choices: [
          { index: 0, message: { content: null, tool_calls: [call] }, logprobs, finish_reason: 'tool_calls' },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } },
      }),
    );
  await using upstream = await StubUpstream.start(reply);
  using server = await serve(upstream);
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
  const { body } = await ask(server, { ...chat, tools, logprobs: true, top_logprobs: 1 });
  assert.deepEqual(body.choices[0]!.message.tool_calls, [call]);
  assert.equal(body.choices[0]!.finish_reason, 'tool_calls');
  assert.deepEqual(body.choices[0]!.logprobs, {
    content: [
      {
        token: 'é',
        logprob: -0.5,
        bytes: [195, 169],
        top_logprobs: [{ token: 'e', logprob: -1, bytes: [101] }],
      },
    ],
  });
  assert.deepEqual(upstream.calls[0]!.body.tools, tools);
});

test('before the first token it tries again: after a hang-up, a 500, a 429', async () => {
  await using upstream = await StubUpstream.start(hangsUp, fails(500), says('at last'));
  using server = await serve(upstream, { retries: 2 });
  const { status, body } = await ask(server, chat);
  assert.equal(status, 200);
  assert.equal(body.choices[0]!.message.content, 'at last');
  upstream.replies = [fails(429, { 'retry-after': '0' }), says('again')];
  assert.equal((await ask(server, chat)).status, 200);
});

test('retries are bounded', async () => {
  await using upstream = await StubUpstream.start(fails(500));
  using server = await serve(upstream, { retries: 2 });
  const { status, body } = await ask(server, chat);
  assert.equal(status, 502);
  assert.equal(body.error.code, 'upstream_failed');
  assert.equal(upstream.calls.length, 3);
});

test('after the first token nothing is repeated: the stream ends with the error', async () => {
  await using upstream = await StubUpstream.start(breaksOffAfter('half '), says('never'));
  using server = await serve(upstream);
  const events = (await sseEvents(
    await server.post('/v1/chat/completions', { ...chat, stream: true }),
  )) as Answer[];
  assert.equal(events.at(-2)!.error.code, 'upstream_failed');
  assert.equal(events.at(-1), '[DONE]');
  assert.equal(upstream.calls.length, 1);
});

test('what is the request’s own fault is not repeated, and said', async () => {
  await using upstream = await StubUpstream.start(
    fails(400, {}, { error: { message: 'bad tool', code: null } }),
  );
  using server = await serve(upstream);
  const { status, body } = await ask(server, chat);
  assert.equal(status, 400);
  assert.match(body.error.message, /bad tool/);
  assert.equal(upstream.calls.length, 1);
});

test('a refusal of our key is not shown to the client', async () => {
  await using upstream = await StubUpstream.start(
    fails(401, {}, { error: { message: 'key sk-123 is wrong', code: null } }),
  );
  using server = await serve(upstream);
  const { status, body } = await ask(server, chat);
  assert.equal(status, 502);
  assert.equal(body.error.code, 'upstream_misconfigured');
  assert.doesNotMatch(body.error.message, /sk-123/);
});

test('silence ends in upstream_timeout, the request’s own deadline in deadline_exceeded', async () => {
  await using upstream = await StubUpstream.start(hangs);
  using server = await serve(upstream, { firstByteTimeoutMs: 1000 });
  assert.equal((await ask(server, { ...chat, timeout_ms: 20 })).body.error.code, 'deadline_exceeded');
  assert.equal((await ask(server, chat)).body.error.code, 'upstream_timeout');
});

test('429 with a long Retry-After is passed on, and nobody asks until then', async () => {
  await using upstream = await StubUpstream.start(fails(429, { 'retry-after': '30' }));
  using server = await serve(upstream);
  const first = await ask(server, chat);
  assert.equal(first.status, 429);
  assert.equal(first.headers.get('retry-after'), '30');
  const second = await ask(server, chat);
  assert.equal(second.status, 503);
  assert.match(second.body.error.message, /overloaded/);
  assert.equal(upstream.calls.length, 1);
});

test('an answer that is no answer is a failure: broken JSON, missing choices, too long', async () => {
  const raw =
    (text: string): Reply =>
    (_call, response) =>
      void response.end(text);
  await using upstream = await StubUpstream.start(raw('{'));
  using server = await serve(upstream, { retries: 0 }, { 'routing.maxAnswerBytes': 2048 });
  for (const text of [
    '{',
    '{"choices": 3}',
    '{"choices": []}',
    `{"choices": [], "x": "${'y'.repeat(4096)}"}`,
  ]) {
    upstream.replies = [raw(text)];
    assert.equal((await ask(server, chat)).body.error.code, 'upstream_failed', text.slice(0, 40));
  }
});

test('the breaker opens after failures in a row, and a trial closes it again', async () => {
  await using upstream = await StubUpstream.start(fails(500));
  using server = await serve(
    upstream,
    { retries: 0 },
    { 'routing.breakerFailures': 3, 'routing.breakerCooldownMs': 50 },
  );
  for (let index = 0; index < 3; index += 1) assert.equal((await ask(server, chat)).status, 502);
  const refused = await ask(server, chat);
  assert.equal(refused.status, 503);
  assert.equal(refused.body.error.code, 'no_healthy_models');
  assert.match(refused.body.error.message, /circuit open/);
  assert.equal(upstream.calls.length, 3);
  upstream.replies = [says('well again')];
  await eventually(async () => (await ask(server, chat)).status === 200);
});

test('token prompts and grammars are refused by name where the upstream can’t take them', async () => {
  await using upstream = await StubUpstream.start();
  using server = await serve(upstream);
  const tokens = await ask(server, { prompt: [1, 2, 3] }, '/v1/completions');
  assert.equal(tokens.status, 400);
  assert.match(tokens.body.error.message, /tokens/);
  const grammar = await ask(server, { ...chat, grammar: 'root ::= "a"' });
  assert.equal(grammar.body.error.code, 'unsupported_parameter');
  assert.equal(upstream.calls.length, 0);
});

test('TLS: a certificate nobody vouches for is refused, unless it is named or checks are off', async () => {
  await using upstream = await StubUpstream.startTls(says('secret'));
  for (const [spec, status] of [
    [{ retries: 0 }, 502],
    [{ caFile: certificateFile }, 200],
    [{ verifyTls: false }, 200],
  ] as const) {
    using server = await serve(upstream, spec);
    assert.equal((await ask(server, chat)).status, status, JSON.stringify(spec));
  }
  assert.equal(upstream.calls.length, 2);
});

test('a key or certificate that can’t be had is a fault at the start', async () => {
  await using upstream = await StubUpstream.start();
  await assert.rejects(serve(upstream, { apiKeyEnv: 'SLUICE_TEST_NO_SUCH_VARIABLE' }), /isn't set/);
  await assert.rejects(serve(upstream, { caFile: '/nowhere/ca.pem' }), /can't be read/);
});
