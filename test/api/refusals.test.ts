import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.js';

interface ErrorBody {
  error: { message: string; type: string; code: string; param: string | null };
}

let server: TestServer;
before(async () => {
  server = await startTestServer({ settings: { 'http.maxBodyBytes': 100_000 } });
});
after(() => server.close());

async function refusal(
  path: string,
  body: unknown,
  init: RequestInit = {},
): Promise<ErrorBody['error'] & { status: number }> {
  const response = await server.post(path, body, init);
  const { error } = (await response.json()) as ErrorBody;
  assert.equal(typeof error.message, 'string');
  assert.equal(typeof error.type, 'string');
  return { ...error, status: response.status };
}

/** Fields beside a valid prompt or conversation; status 400 and this `param`, code invalid_value unless said. */
const shared: [fields: Record<string, unknown>, param: string, code?: string][] = [
  [{ model: 'gpt-x' }, 'model', 'model_not_found'],
  [{ model: 7 }, 'model'],
  [{ model: '' }, 'model'],
  [{ temperature: -0.1 }, 'temperature'],
  [{ temperature: 2.1 }, 'temperature'],
  [{ temperature: '0.5' }, 'temperature'],
  [{ temperature: [] }, 'temperature'],
  [{ top_p: 0 }, 'top_p'],
  [{ top_p: 1.5 }, 'top_p'],
  [{ top_k: -1 }, 'top_k'],
  [{ top_k: 1.5 }, 'top_k'],
  [{ top_k: 2 ** 40 }, 'top_k'],
  [{ min_p: 2 }, 'min_p'],
  [{ repeat_penalty: 0 }, 'repeat_penalty'],
  [{ frequency_penalty: 3 }, 'frequency_penalty'],
  [{ presence_penalty: -3 }, 'presence_penalty'],
  [{ n: 0 }, 'n'],
  [{ n: 129 }, 'n'],
  [{ n: 1e300 }, 'n'],
  [{ n: 1.5 }, 'n'],
  [{ stop: '' }, 'stop'],
  [{ stop: Array(17).fill('a') }, 'stop'],
  [{ stop: ['a', ''] }, 'stop.1'],
  [{ stop: ['x'.repeat(257)] }, 'stop.0'],
  [{ stop: 5 }, 'stop'],
  [{ seed: 1.5 }, 'seed'],
  [{ seed: 'x' }, 'seed'],
  [{ logit_bias: { a: 1 } }, 'logit_bias.a'],
  [{ logit_bias: { 97: 101 } }, 'logit_bias.97'],
  [{ logit_bias: { 999: 1 } }, 'logit_bias.999'],
  [{ logit_bias: [1] }, 'logit_bias'],
  [{ stream: 'yes' }, 'stream'],
  [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
  [{ priority: 10 }, 'priority'],
  [{ priority: -1 }, 'priority'],
  [{ timeout_ms: 0 }, 'timeout_ms'],
  [{ deadline: -5 }, 'deadline'],
  [{ session_id: '' }, 'session_id'],
  [{ session_id: 'x'.repeat(257) }, 'session_id'],
  [{ prefix_id: 'none' }, 'prefix_id', 'not_found'],
  [{ grammar: '' }, 'grammar'],
  [{ grammar: 'nonsense' }, 'grammar', 'invalid_grammar'],
  [{ grammar: `root ::= "${'x'.repeat(70_000)}"` }, 'grammar', 'invalid_grammar'],
  [{ grammar: 'root ::= "a"', response_format: { type: 'json_object' } }, 'grammar'],
  [{ response_format: { type: 'xml' } }, 'response_format.type'],
  [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
  [
    { response_format: { type: 'json_schema', json_schema: { schema: 'x' } } },
    'response_format.json_schema.schema',
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { schema: nested(100) } } },
    'response_format.json_schema.schema',
  ],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ max_tokens: 1.5 }, 'max_tokens'],
  [{ max_tokens: 1e12 }, 'max_tokens', 'context_length_exceeded'],
];

const completionOnly: typeof shared = [
  [{ prompt: undefined }, 'prompt'],
  [{ prompt: null }, 'prompt'],
  [{ prompt: 5 }, 'prompt'],
  [{ prompt: {} }, 'prompt'],
  [{ prompt: [] }, 'prompt'],
  [{ prompt: '' }, 'prompt'],
  [{ prompt: ['a', ''] }, 'prompt.1'],
  [{ prompt: [[]] }, 'prompt.0'],
  [{ prompt: ['a', 5] }, 'prompt.1'],
  [{ prompt: [-1] }, 'prompt.0'],
  [{ prompt: [1.5] }, 'prompt.0'],
  [{ prompt: [97, 258] }, 'prompt.1'],
  [{ prompt: [[97], [97, 9999]] }, 'prompt.1.1'],
  [{ prompt: Array(129).fill('a') }, 'prompt'],
  [{ prompt: Array(129).fill([97]) }, 'prompt'],
  [{ prompt: ['a', 'b'], n: 65 }, 'n'],
  [{ prompt: 'x'.repeat(2048) }, 'prompt', 'context_length_exceeded'],
  [{ prompt: Array(2048).fill(97) }, 'prompt', 'context_length_exceeded'],
  [{ logprobs: 21 }, 'logprobs'],
  [{ logprobs: true }, 'logprobs'],
  [{ echo: 1 }, 'echo'],
  [{ best_of: 3 }, 'best_of', 'unsupported_parameter'],
  [{ best_of: 2, n: 1 }, 'best_of', 'unsupported_parameter'],
  [{ suffix: 'end' }, 'suffix', 'unsupported_parameter'],
];

const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
const chatOnly: typeof shared = [
  [{ messages: undefined }, 'messages'],
  [{ messages: [] }, 'messages'],
  [{ messages: 'hi' }, 'messages'],
  [{ messages: [{ role: 'wizard', content: 'x' }] }, 'messages.0.role'],
  [{ messages: [{ role: 'user' }] }, 'messages.0.content'],
  [{ messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
  [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages.0.content.0.text'],
  [
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://x' } }] }] },
    'messages.0.content.0.type',
    'unsupported_parameter',
  ],
  [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id'],
  [{ messages: [{ role: 'user', content: 'x'.repeat(3000) }] }, 'messages', 'context_length_exceeded'],
  [{ max_tokens: 0 }, 'max_tokens'],
  [{ max_completion_tokens: 0 }, 'max_completion_tokens'],
  [{ logprobs: 5 }, 'logprobs'],
  [{ top_logprobs: 3 }, 'top_logprobs'],
  [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
  [{ tools: [{ type: 'function' }] }, 'tools.0.function'],
  [{ tools: [{ type: 'function', function: { name: '' } }] }, 'tools.0.function.name'],
  [{ tools: [{ ...tool, function: { name: 'f', parameters: nested(100) } }] }, 'tools.0.function.parameters'],
  [{ tool_choice: 'required' }, 'tool_choice'],
  [{ tools: [tool], tool_choice: 'perhaps' }, 'tool_choice'],
  [{ tools: [tool], tool_choice: { type: 'function', function: { name: 'g' } } }, 'tool_choice'],
  [{ tools: [tool], grammar: 'root ::= "a"' }, 'grammar'],
];

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { properties: value };
  return value;
}

const tables: [path: string, valid: object, table: typeof shared][] = [
  ['/v1/completions', { prompt: 'a', max_tokens: 1 }, [...shared, ...completionOnly]],
  [
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: 'a' }], max_tokens: 1 },
    [...shared, ...chatOnly],
  ],
];

for (const [path, valid, table] of tables) {
  for (const [fields, param, code = 'invalid_value'] of table) {
    test(`${path} refuses ${JSON.stringify(fields).slice(0, 90)}`, async () => {
      const seen = server.engine.requests.length;
      const error = await refusal(path, { ...valid, ...fields });
      assert.equal(error.code, code, error.message);
      assert.equal(error.param, param);
      assert.equal(error.status, code === 'model_not_found' || code === 'not_found' ? 404 : 400);
      assert.equal(error.type, 'invalid_request_error');
      assert.equal(server.engine.requests.length, seen, 'the engine hears nothing of it');
    });
  }
}

test('answers that would multiply to gigabytes are refused', async () => {
  using small = await startTestServer({ settings: { 'requests.maxAnswerEntries': 100 } });
  const param = async (fields: object) => {
    const response = await small.post('/v1/completions', { prompt: '123456789', max_tokens: 1, ...fields });
    return response.status === 200 ? null : ((await response.json()) as ErrorBody).error.param;
  };
  assert.equal(await param({ echo: true, n: 10 }), null, '10 choices × 10 tokens');
  assert.equal(await param({ echo: true, n: 11 }), 'echo');
  assert.equal(await param({ echo: true, logprobs: 7 }), null, '10 tokens × (text, own, 7 others) + 1 × 8');
  assert.equal(await param({ echo: true, logprobs: 8 }), 'echo');
  assert.equal(await param({ logprobs: 9, max_tokens: 10 }), null);
  assert.equal(await param({ logprobs: 9, max_tokens: 11 }), 'logprobs');
});

test('numbers too large for a double are refused', async () => {
  const error = await refusal('/v1/completions', '{"prompt":"a","temperature":1e999}');
  assert.equal(error.param, 'temperature');
});

const broken = [
  '',
  '{',
  '{"prompt":"a"',
  '{"prompt":NaN}',
  "{'prompt':'a'}",
  '\ufeff{',
  '{"prompt":"a"}}',
  'null x',
];
for (const body of broken) {
  test(`malformed JSON ${JSON.stringify(body)}`, async () => {
    const error = await refusal('/v1/completions', body);
    assert.equal(error.status, 400);
    assert.equal(error.code, 'invalid_json');
  });
}

for (const body of ['null', '5', '"text"', '[]', 'true']) {
  test(`JSON that is no object: ${body}`, async () => {
    const error = await refusal('/v1/completions', body);
    assert.equal(error.code, 'invalid_value');
    assert.equal(error.param, null);
  });
}

test('the message about malformed JSON does not repeat the body', async () => {
  const error = await refusal('/v1/completions', '{"prompt":"secret words", oops}');
  assert.doesNotMatch(error.message, /secret|oops/);
});

test('invalid UTF-8 is refused', async () => {
  const response = await fetch(`${server.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
  });
  assert.equal(response.status, 400);
  assert.equal(((await response.json()) as ErrorBody).error.code, 'invalid_json');
});

test('a deeply nested body is refused or harmless', async () => {
  const error = await refusal('/v1/completions', `{"prompt":${'['.repeat(40_000)}${']'.repeat(40_000)}}`);
  assert.equal(error.status, 400);
  assert.equal(error.param, 'prompt.0.0');
});

test('a body over the limit is refused, announced or not', async () => {
  const body = JSON.stringify({ prompt: 'x'.repeat(200_000) });
  const announced = await refusal('/v1/completions', body);
  assert.equal(announced.status, 413);
  assert.equal(announced.code, 'body_too_large');
  const stream = new Blob([body]).stream();
  const chunked = await refusal('/v1/completions', '', { body: stream, duplex: 'half' } as RequestInit);
  assert.equal(chunked.status, 413);
});

test('other content types are refused', async () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonx',
  ]) {
    const error = await refusal('/v1/completions', '{"prompt":"a"}', { headers: { 'content-type': type } });
    assert.equal(error.status, 415, type);
  }
  const charset = { headers: { 'content-type': 'application/json; charset=utf-8' } };
  assert.equal((await server.post('/v1/completions', { prompt: 'a', max_tokens: 1 }, charset)).status, 200);
});

test('compressed bodies are refused', async () => {
  const error = await refusal('/v1/completions', '{}', { headers: { 'content-encoding': 'gzip' } });
  assert.equal(error.status, 415);
});

test('unknown fields are ignored', async () => {
  const response = await server.post('/v1/completions', {
    prompt: 'a',
    max_tokens: 1,
    new_field: { x: 1 },
    store: true,
  });
  assert.equal(response.status, 200);
});

test('unknown routes and methods', async () => {
  const missing = await fetch(`${server.url}/v1/nothing`);
  assert.equal(missing.status, 404);
  assert.equal(((await missing.json()) as ErrorBody).error.code, 'not_found');
  const wrong = await fetch(`${server.url}/v1/completions`);
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'POST, OPTIONS');
});
