import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';

interface Chunk {
  choices: {
    index: number;
    delta: Record<string, unknown>;
    logprobs: unknown;
    finish_reason: string | null;
  }[];
}

interface Chat {
  id: string;
  object: string;
  choices: { index: number; message: Record<string, unknown>; logprobs: unknown; finish_reason: string }[];
  usage: Record<string, unknown>;
}

let server: TestServer;
let reply = '';
before(async () => {
  server = await startTestServer({ reply: () => reply });
});
after(() => server.close());

async function chat(body: object): Promise<Chat> {
  const response = await server.post('/v1/chat/completions', body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Chat;
}

async function deltas(body: object): Promise<Chunk['choices']> {
  const events = await sseEvents(await server.post('/v1/chat/completions', { ...body, stream: true }));
  assert.equal(events.pop(), '[DONE]');
  return (events as Chunk[]).flatMap(({ choices }) => choices);
}

const messages = [{ role: 'user', content: 'Hi' }];
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];

test('a chat answer has the shape of OpenAI’s', async () => {
  reply = 'Hello!';
  const answer = await chat({ messages });
  assert.match(answer.id, /^chatcmpl-/);
  assert.equal(answer.object, 'chat.completion');
  assert.deepEqual(answer.choices, [
    { index: 0, message: { role: 'assistant', content: 'Hello!' }, logprobs: null, finish_reason: 'stop' },
  ]);
  assert.equal(answer.usage.completion_tokens, 6);
});

test('messages reach the template in its terms', async () => {
  reply = 'ok';
  await chat({
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        name: 'ann',
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', content: 'result', tool_call_id: 'c' },
    ],
    tools,
    tool_choice: 'auto',
    chat_template_kwargs: { enable_thinking: false },
  });
  const request = server.text.calls.chat.at(-1)!;
  assert.deepEqual(request.messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'ab', name: 'ann' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', content: 'result', tool_call_id: 'c' },
  ]);
  assert.deepEqual(request.tools, tools);
  assert.deepEqual((request as unknown as Record<string, unknown>).chat_template_kwargs, {
    enable_thinking: false,
  });
});

test('the template’s stop strings and grammar are added', async () => {
  reply = 'ok';
  const schema = { type: 'object' };
  await chat({
    messages,
    stop: 'END',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
  });
  const request = server.engine.requests.at(-1)!;
  assert.deepEqual(request.stop, ['END', '\nuser:']);
  assert.equal(request.sampling.grammar, 'root ::= "json"');
});

test('max_completion_tokens goes before max_tokens', async () => {
  reply = 'long answer';
  const { choices } = await chat({ messages, max_tokens: 9, max_completion_tokens: 4 });
  assert.equal(choices[0]!.message.content, 'long');
  assert.equal(choices[0]!.finish_reason, 'length');
});

test('a model without template answers with a warning', async () => {
  reply = 'ok';
  server.text.fallback = true;
  const whole = await server.post('/v1/chat/completions', { messages });
  const streamed = await server.post('/v1/chat/completions', { messages, stream: true });
  server.text.fallback = false;
  await Promise.all([whole.text(), streamed.text()]);
  assert.match(whole.headers.get('x-sluice-warning')!, /no chat template/);
  assert.match(streamed.headers.get('x-sluice-warning')!, /no chat template/);
});

test('log-probabilities have tokens, bytes and alternatives', async () => {
  reply = 'aé';
  const { choices } = await chat({ messages, logprobs: true, top_logprobs: 1 });
  const top_logprobs = [{ token: 'a', logprob: -0.97, bytes: [97] }];
  assert.deepEqual(choices[0]!.logprobs, {
    content: [
      { token: 'a', logprob: -0.97, bytes: [97], top_logprobs },
      { token: 'bytes:\\xc3', logprob: -1.95, bytes: [195], top_logprobs },
      { token: 'bytes:\\xa9', logprob: -1.69, bytes: [169], top_logprobs },
    ],
  });
});

test('a stream begins with the role and joins to the whole answer', async () => {
  reply = 'Grüße 🙂';
  const parts = await deltas({ messages, n: 2 });
  for (const index of [0, 1]) {
    const own = parts.filter((part) => part.index === index);
    assert.equal(own[0]!.delta.role, 'assistant');
    assert.equal(own.filter(({ delta }) => 'role' in delta).length, 1);
    assert.equal(own.map(({ delta }) => delta.content ?? '').join(''), reply);
    assert.equal(own.at(-1)!.finish_reason, 'stop');
  }
});

test('tool calls are read out of the text', async () => {
  reply = 'CALL weather {"city":"Oslo"}';
  const { choices } = await chat({ messages, tools });
  assert.equal(choices[0]!.finish_reason, 'tool_calls');
  assert.equal(choices[0]!.message.content, null);
  assert.deepEqual(choices[0]!.message.tool_calls, [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
  ]);
});

test('streamed tool calls come in pieces that join', async () => {
  reply = '<think>Where?</think>CALL weather {"city":"Oslo"}';
  const parts = await deltas({ messages, tools });
  const calls = parts.flatMap(
    ({ delta }) => (delta.tool_calls ?? []) as { function: Record<string, string> }[],
  );
  assert.equal(calls[0]!.function.name, 'weather');
  assert.equal(calls.map((call) => call.function.arguments ?? '').join(''), '{"city":"Oslo"}');
  assert.ok(calls.slice(1).every((call) => !('id' in call) && call.function.name === undefined));
  assert.equal(parts.map(({ delta }) => delta.reasoning_content ?? '').join(''), 'Where?');
  assert.ok(parts.every(({ delta }) => !delta.content));
  assert.equal(parts.at(-1)!.finish_reason, 'tool_calls');
});

test('with tools an ordinary answer stays one', async () => {
  reply = 'CALIFORNIA is sunny';
  const { choices } = await chat({ messages, tools });
  assert.equal(choices[0]!.message.content, reply);
  assert.equal(choices[0]!.finish_reason, 'stop');
  const parts = await deltas({ messages, tools, logprobs: true });
  assert.equal(parts.map(({ delta }) => delta.content ?? '').join(''), reply);
  const logprobs = parts.flatMap((part) => (part.logprobs as { content: unknown[] } | null)?.content ?? []);
  assert.equal(logprobs.length, reply.length, 'no log-probability is lost while text is held back');
});

test('text that the syntax cannot read is content', async () => {
  reply = 'odd';
  const parse = server.text.parseChat;
  server.text.parseChat = () => Promise.reject(new Error('unreadable'));
  const { choices } = await chat({ messages, tools });
  server.text.parseChat = parse;
  assert.equal(choices[0]!.message.content, 'odd');
});
