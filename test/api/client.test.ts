import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { ClientError, type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startTestServer({ delayMs: 1 });
});
after(() => server.close());

function connect(options: ConnectOptions = {}, url = server.url): Promise<SluiceClient> {
  return SluiceClient.connect(url, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
    ...options,
  });
}

for (const encoding of ['json', 'msgpack'] as const) {
  test(`${encoding}: tokens can be iterated, and the end awaited`, async () => {
    const client = await connect({ encoding });
    const generation = client.complete({ prompt: 'né', max_tokens: 6 });
    const other = client.chat({ messages: [{ role: 'user', content: 'x' }], max_tokens: 4 });
    let text = '';
    for await (const token of generation) text += token.text;
    assert.equal(text, 'nén\u00e9');
    const done = await generation.done;
    assert.equal(done.usage.completion_tokens, 6);
    assert.equal(done.choices[0]!.finish_reason, 'length');
    assert.equal(await other.text(), 'user');
    client.close();
  });
}

test('cancel() ends a generation; the tokens so far are kept', async () => {
  const client = await connect();
  const generation = client.complete({ prompt: 'x', max_tokens: 2000 });
  await eventually(() => server.engine.running === 1);
  generation.cancel();
  assert.equal((await generation.done).choices[0]!.finish_reason, 'cancelled');
  generation.cancel();
  client.close();
});

test('leaving the loop cancels', async () => {
  const client = await connect();
  const generation = client.complete({ prompt: 'x', max_tokens: 2000 });
  for await (const _ of generation) break;
  assert.equal((await generation.done).choices[0]!.finish_reason, 'cancelled');
  client.close();
});

test('errors are typed, by loop and by promise', async () => {
  const client = await connect();
  const expected = { name: 'ClientError', code: 'invalid_value', param: 'temperature' };
  await assert.rejects(client.complete({ prompt: 'x', temperature: 7 }).done, expected);
  await assert.rejects(client.complete({ prompt: 'x', temperature: 7 }).text(), expected);
  client.close();
});

test('a lost connection fails what runs and what comes', async () => {
  using own = await startTestServer({ delayMs: 1 });
  const client = await connect({}, own.url);
  const running = client.complete({ prompt: 'x', max_tokens: 2000 });
  await eventually(() => own.engine.running === 1);
  own.close();
  await assert.rejects(running.done, { code: 'connection_closed' });
  await assert.rejects(client.complete({ prompt: 'x' }).done, { code: 'connection_closed' });
});

test('a server that is not there', async () => {
  await assert.rejects(connect({}, 'http://127.0.0.1:1'), (error) => error instanceof ClientError);
});
