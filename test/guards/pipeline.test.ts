import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';

/** Guards on the wire. The stub engine repeats its prompt, or says what `reply` says. */

const words = (list: string[]) => ({ words: { secret: list } });
const profiles = {
  blocking: { input: [{ guard: 'keywords', mode: 'block', options: words(['forbidden']) }] },
  refusing: {
    input: [{ guard: 'keywords', options: words(['forbidden']) }],
    onBlock: 'refusal',
    refusal: 'No.',
  },
  redacting: {
    input: [{ guard: 'keywords', mode: 'redact', options: words(['Alice']) }],
    output: [{ guard: 'keywords', mode: 'redact', options: words(['swordfish']) }],
  },
  masking: { input: [{ guard: 'keywords', mode: 'mask', options: words(['swordfish']) }] },
  warning: {
    input: [{ guard: 'keywords', mode: 'warn', options: words(['hello']) }],
    output: [{ guard: 'keywords', mode: 'warn', options: words(['swordfish']) }],
  },
  reversible: { input: [{ guard: 'keywords', mode: 'reversible', options: words(['Alice', 'Bob']) }] },
  'output-block': { output: [{ guard: 'keywords', mode: 'block', options: words(['swordfish']) }] },
};

const SPOKEN = 'The password is swordfish, they say.';
let server: TestServer;
before(async () => {
  server = await startTestServer({
    reply: ({ prompt }) => {
      const said = Buffer.from(Uint8Array.from(prompt.filter((token) => token < 256))).toString('utf8');
      return said.includes('echo') ? said : SPOKEN;
    },
    settings: { 'guards.profiles': profiles },
  });
});
after(() => server.close());

interface Answer {
  model: string;
  choices: { text: string; finish_reason: string; guard?: object }[];
  error?: { code: string; guard: Record<string, unknown>; message: string };
}

const complete = async (body: object) => {
  const response = await server.post('/v1/completions', { max_tokens: 200, temperature: 0, ...body });
  return { response, body: (await response.json()) as Answer };
};

const streamed = async (body: object) => {
  const response = await server.post('/v1/completions', { max_tokens: 200, stream: true, ...body });
  const events = (await sseEvents(response)) as (Answer | '[DONE]')[];
  const chunks = events.filter((event): event is Answer => event !== '[DONE]');
  return { response, chunks, text: chunks.map((chunk) => chunk.choices?.[0]?.text ?? '').join('') };
};

const promptSeen = () => Buffer.from(server.engine.requests.at(-1)!.prompt.subarray(1)).toString();

test('a blocked request is a 400 that names stage, guard, category and request, but not the text', async () => {
  const before = server.engine.requests.length;
  const { response, body } = await complete({ prompt: 'a FORBIDDEN thing', guards: 'blocking' });
  assert.equal(response.status, 400);
  const { code, guard, message } = body.error!;
  assert.equal(code, 'content_policy_violation');
  const { request_id, ...rest } = guard;
  assert.deepEqual(rest, { stage: 'input', guard: 'keywords', category: 'secret', score: 1 });
  assert.match(String(request_id), /^cmpl-/);
  assert.ok(!/forbidden/i.test(message));
  assert.equal(server.engine.requests.length, before);
});

test('without a profile, and for words that only contain the word, nothing is blocked', async () => {
  assert.equal((await complete({ prompt: 'a forbidden thing' })).response.status, 200);
  assert.equal((await complete({ prompt: 'a forbiddenness', guards: 'blocking' })).response.status, 200);
});

test('a refusal looks like an answer that ends with content_filter', async () => {
  const { response, body } = await complete({ prompt: 'forbidden', guards: 'refusing', n: 2 });
  assert.equal(response.status, 200);
  assert.equal(body.model, 'stub'); // the default
  assert.deepEqual(
    body.choices.map(({ text, finish_reason }) => [text, finish_reason]),
    [
      ['No.', 'content_filter'],
      ['No.', 'content_filter'],
    ],
  );
  assert.deepEqual(body.choices[0]!.guard, {
    blocked: { stage: 'input', guard: 'keywords', category: 'secret', score: 1 },
    warnings: [],
  });
});

test('the model sees redacted and masked texts', async () => {
  await complete({ prompt: 'I am Alice, alice', guards: 'redacting' });
  assert.equal(promptSeen(), 'I am [REDACTED_SECRET], [REDACTED_SECRET]');
  await complete({ prompt: 'swordfish', guards: 'masking' });
  assert.equal(promptSeen(), '*****fish');
});

test('an answer is redacted, streamed or not', async () => {
  const expected = 'The password is [REDACTED_SECRET], they say.';
  const { body } = await complete({ prompt: 'x', guards: 'redacting' });
  assert.equal(body.choices[0]!.text, expected);
  const { text, chunks } = await streamed({ prompt: 'x', guards: 'redacting' });
  assert.equal(text, expected);
  assert.ok(chunks.length > 2, 'it streams all the same');
});

test('log-probabilities do not show what was cut', async () => {
  const { chunks, text } = await streamed({ prompt: 'x', guards: 'redacting', logprobs: 0 });
  assert.equal(text, 'The password is [REDACTED_SECRET], they say.');
  const tokens = chunks.flatMap((chunk) => {
    const { logprobs } = chunk.choices[0] as unknown as { logprobs: { tokens: string[] } | null };
    return logprobs?.tokens ?? [];
  });
  assert.equal(tokens.join(''), 'The password is , they say.');
});

test('warnings of the request are in a header, those of a streamed answer in its last chunk', async () => {
  const whole = await complete({ prompt: 'hello', guards: 'warning' });
  assert.equal(whole.response.headers.get('x-sluice-guard-warnings'), 'keywords/secret, keywords/secret');
  const { response, chunks } = await streamed({ prompt: 'hello', guards: 'warning' });
  assert.equal(response.headers.get('x-sluice-guard-warnings'), 'keywords/secret');
  assert.deepEqual(chunks.at(-1)!.choices[0]!.guard, { blocked: null, warnings: ['keywords/secret'] });
});

test('hidden values come back, though the model never had them', async () => {
  const prompt = 'echo Alice and Bob and Alice';
  const { body } = await complete({ prompt, guards: 'reversible' });
  assert.equal(promptSeen(), 'echo [SECRET_1] and [SECRET_2] and [SECRET_1]');
  assert.equal(body.choices[0]!.text, prompt);
  const { text } = await streamed({ prompt, guards: 'reversible' });
  assert.equal(text, prompt);
});

test('a late block ends a stream with content_filter, and nothing of the word is sent', async () => {
  const { text, chunks } = await streamed({ prompt: 'x', guards: 'output-block' });
  assert.equal(text, 'The password is ');
  const last = chunks.at(-1)!.choices[0]!;
  assert.equal(last.finish_reason, 'content_filter');
  assert.deepEqual(last.guard, {
    blocked: { stage: 'output', guard: 'keywords', category: 'secret', score: 1 },
    warnings: [],
  });
  assert.equal(server.engine.running, 0);
});

test('a blocked answer that is not streamed is an error', async () => {
  const { response, body } = await complete({ prompt: 'x', guards: 'output-block' });
  assert.equal(response.status, 400);
  assert.equal(body.error!.guard.stage, 'output');
  assert.ok(!JSON.stringify(body).includes('swordfish'));
});

test('over a WebSocket it is the same', async () => {
  const client = await SluiceClient.connect(server.url, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });
  const redacted = client.complete({ prompt: 'x', max_tokens: 200, guards: 'redacting' });
  assert.equal(await redacted.text(), 'The password is [REDACTED_SECRET], they say.');
  const blocked = client.complete({ prompt: 'x', max_tokens: 200, guards: 'output-block' });
  assert.equal(await blocked.text(), 'The password is ');
  const { choices } = await blocked.done;
  assert.equal(choices[0]!.finish_reason, 'content_filter');
  assert.equal(choices[0]!.guard!.blocked!.guard, 'keywords');
  await assert.rejects(
    client.complete({ prompt: 'forbidden', guards: 'blocking' }).done,
    /blocked by the guard keywords/,
  );
  client.close();
});

test('over a WebSocket hidden values come back, a refusal is an answer, and warnings are told', async () => {
  const client = await SluiceClient.connect(server.url, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });
  const ask = (prompt: string, guards: string) => client.complete({ prompt, max_tokens: 200, guards });
  const hidden = ask('echo Alice and Bob and Alice', 'reversible');
  assert.equal(await hidden.text(), 'echo Alice and Bob and Alice');
  assert.equal(promptSeen(), 'echo [SECRET_1] and [SECRET_2] and [SECRET_1]');
  const refused = ask('forbidden', 'refusing');
  assert.equal(await refused.text(), 'No.');
  assert.equal((await refused.done).choices[0]!.finish_reason, 'content_filter');
  const warned = await ask('x', 'warning').done;
  assert.deepEqual(warned.choices[0]!.guard, { blocked: null, warnings: ['keywords/secret'] });
  client.close();
});

test('chats stream like completions: redacted, given back, and blocked late', async () => {
  const chat = async (content: string, guards: string) => {
    const body = { messages: [{ role: 'user', content }], max_tokens: 200, stream: true, guards };
    const events = await sseEvents(await server.post('/v1/chat/completions', body));
    const chunks = events.filter((event) => event !== '[DONE]') as {
      choices: { delta: { content?: string }; finish_reason: string | null; guard?: { blocked: object } }[];
    }[];
    const choices = chunks.flatMap((chunk) => chunk.choices);
    return {
      text: choices.map(({ delta }) => delta.content ?? '').join(''),
      last: choices.at(-1)!,
    };
  };
  assert.equal((await chat('x', 'redacting')).text, 'The password is [REDACTED_SECRET], they say.');
  const { text } = await chat('echo Alice and Bob', 'reversible');
  assert.match(text, /Alice and Bob/);
  assert.doesNotMatch(promptSeen(), /Alice|Bob/);
  const blocked = await chat('x', 'output-block');
  assert.equal(blocked.text, 'The password is ');
  assert.equal(blocked.last.finish_reason, 'content_filter');
  assert.ok(blocked.last.guard!.blocked);
});

test('all texts of a conversation are looked at, but for the operator’s', async () => {
  const ask = async (messages: object[], more = {}) => {
    const body = { messages, max_tokens: 10, guards: 'blocking', ...more };
    return (await server.post('/v1/chat/completions', body)).status;
  };
  const user = { role: 'user', content: 'hi' };
  const call = { id: '1', type: 'function', function: { name: 'f', arguments: '{"x":"forbidden"}' } };
  assert.equal(await ask([user]), 200);
  assert.equal(await ask([{ role: 'system', content: 'forbidden' }, user]), 200);
  assert.equal(
    await ask([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'forbid' },
          { type: 'text', text: 'den' },
        ],
      },
    ]),
    400,
  );
  assert.equal(
    await ask([
      user,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: '1', content: 'ok' },
    ]),
    400,
  );
  assert.equal(
    await ask([
      user,
      { role: 'assistant', content: 'x' },
      { role: 'tool', tool_call_id: '1', content: 'forbidden' },
    ]),
    400,
  );
  const tool = { type: 'function', function: { name: 'f', description: 'forbidden', parameters: {} } };
  assert.equal(await ask([user], { tools: [tool] }), 400);
});

test('token ids and unknown profiles are refused', async () => {
  assert.equal(
    (await complete({ prompt: [1, 2], guards: 'blocking' })).body.error!.code,
    'unsupported_parameter',
  );
  assert.equal((await complete({ prompt: 'x', guards: 'nothing' })).body.error!.code, 'invalid_value');
});

test('metrics count blocks and time', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(text, /llm_guardrail_blocks_total\{guard_type="keywords",stage="input"\} \d/);
  assert.match(text, /llm_guardrail_blocks_total\{guard_type="keywords",stage="output"\} \d/);
  assert.match(text, /sluice_guard_seconds_count\{guard_type="keywords"\} \d/);
});
