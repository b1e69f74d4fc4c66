import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';

/** optimize_prompt on the wire; tokens are bytes. */

let server: TestServer;
before(async () => {
  server = await startTestServer({ maxContext: 100 });
});
after(() => server.close());

const prompt = `${'A sentence. '.repeat(10)}The end?`; // 128 bytes
const request = { prompt, max_tokens: 20, optimize_prompt: { strategy: 'drop_oldest' } };
const expected = [
  {
    prompt: 0,
    strategy: 'drop_oldest',
    max_tokens: 80,
    tokens_before: 129,
    tokens_after: 75,
    messages_removed: [],
    sentences_removed: [{ message: 0, sentences: 5 }],
  },
];

test('a prompt is cut to what the context holds beside the answer', async () => {
  assert.equal((await server.post('/v1/completions', { ...request, optimize_prompt: false })).status, 400);
  const response = await server.post('/v1/completions', request);
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get('x-sluice-trimmed'), 'tokens=129->75, messages=0, sentences=5');
  const body = (await response.json()) as { trimmed: object; usage: { prompt_tokens: number } };
  assert.deepEqual(body.trimmed, expected);
  assert.equal(body.usage.prompt_tokens, 75);
  const sent = Buffer.from(server.engine.requests.at(-1)!.prompt.subarray(1)).toString();
  assert.equal(sent, `[…] ${prompt.slice(60)}`);
});

test('a stream says it with its first event, a socket at the end', async () => {
  const response = await server.post('/v1/completions', { ...request, stream: true });
  const events = (await sseEvents(response)) as { trimmed?: object }[];
  assert.deepEqual(events[0]!.trimmed, expected);
  assert.equal(events.filter((event) => event.trimmed !== undefined).length, 1);
  const client = await SluiceClient.connect(server.url, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });
  const done = await client.complete(request as Parameters<SluiceClient['complete']>[0]).done;
  assert.deepEqual(done.trimmed, expected);
  client.close();
});

test('each of several prompts is cut for itself', async () => {
  const body = { prompt: ['short', prompt, prompt], max_tokens: 10, optimize_prompt: { max_tokens: 50 } };
  const { trimmed } = (await (await server.post('/v1/completions', body)).json()) as {
    trimmed: { prompt: number; tokens_after: number }[];
  };
  assert.deepEqual(new Set(trimmed.map((each) => each.prompt)), new Set([1, 2]));
  for (const { tokens_after } of trimmed) assert.ok(tokens_after <= 50);
});

test('what cannot be cut is refused by its field', async () => {
  const cases: object[] = [
    { prompt: [1, 2, 3], optimize_prompt: true },
    { prompt, optimize_prompt: true, echo: true },
    { prompt, optimize_prompt: true, prefix_id: 'p' },
    { prompt, optimize_prompt: { strategy: 'best' } },
    { prompt, optimize_prompt: { max_tokens: 5 } },
  ];
  for (const body of cases) {
    const response = await server.post('/v1/completions', body);
    const { error } = (await response.json()) as { error: { param: string } };
    assert.equal(response.status, 400);
    assert.match(error.param, /^optimize_prompt/, JSON.stringify(body));
  }
});
