import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { pack, unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

interface Message {
  type: 'token' | 'done' | 'error';
  id: string | null;
  index: number;
  text: string;
  choices: { index: number; finish_reason: string; stop_sequence: string | null }[];
  usage: Record<string, unknown>;
  error: { code: string; param: string | null; message: string };
  [field: string]: unknown;
}

let server: TestServer;
before(async () => {
  server = await startTestServer({
    settings: { 'websocket.maxInFlight': 3, 'websocket.maxMessageBytes': 10_000 },
  });
});
after(() => server.close());

const codecs = {
  'sluice.v1.json': {
    encode: (value: unknown) => JSON.stringify(value),
    decode: (data: Buffer) => JSON.parse(String(data)),
  },
  'sluice.v1.msgpack': { encode: (value: unknown) => pack(value), decode: (data: Buffer) => unpack(data) },
};

class Client {
  readonly received: Message[] = [];
  readonly socket: WebSocket;
  readonly #codec: (typeof codecs)['sluice.v1.json'];

  private constructor(socket: WebSocket, protocol: keyof typeof codecs) {
    this.socket = socket;
    this.#codec = codecs[protocol] as (typeof codecs)['sluice.v1.json'];
    socket.on('message', (data) => this.received.push(this.#codec.decode(data as Buffer)));
  }

  static async open(protocol: keyof typeof codecs = 'sluice.v1.json', port = server.port): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/stream`, protocol);
    await once(socket, 'open');
    assert.equal(socket.protocol, protocol);
    return new Client(socket, protocol);
  }

  send(message: object): void {
    this.socket.send(this.#codec.encode(message));
  }

  of(id: string | null): Message[] {
    return this.received.filter((message) => message.id === id);
  }

  async ended(id: string | null): Promise<Message> {
    await eventually(() => this.of(id).some(({ type }) => type !== 'token'));
    return this.of(id).find(({ type }) => type !== 'token')!;
  }

  text(id: string, index = 0): string {
    return this.of(id)
      .filter((message) => message.type === 'token' && message.index === index)
      .map(({ text }) => text)
      .join('');
  }
}

for (const protocol of Object.keys(codecs) as (keyof typeof codecs)[]) {
  test(`${protocol}: generations run side by side and end once each`, async () => {
    const client = await Client.open(protocol);
    client.send({ type: 'generate', id: 'one', request: { prompt: 'añ🙂', max_tokens: 14 } });
    client.send({ type: 'generate', id: 'two', request: { prompt: ['b', 'c'], n: 2, max_tokens: 3 } });
    client.send({
      type: 'generate',
      id: 'chat',
      request: { messages: [{ role: 'user', content: 'x' }], max_tokens: 4 },
    });
    const [one, two, chat] = await Promise.all(['one', 'two', 'chat'].map((id) => client.ended(id)));
    assert.equal(client.text('one'), 'añ🙂añ🙂');
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => client.text('two', index)),
      ['bbb', 'bbb', 'ccc', 'ccc'],
    );
    assert.equal(client.text('chat'), 'user');
    assert.deepEqual(one!.choices, [{ index: 0, finish_reason: 'length', stop_sequence: null }]);
    assert.equal(two!.choices.length, 4);
    assert.equal(two!.usage.completion_tokens, 12);
    assert.match(String(chat!.request_id), /^chatcmpl-/);
    for (const id of ['one', 'two', 'chat']) {
      assert.equal(client.of(id).filter(({ type }) => type !== 'token').length, 1);
      assert.equal(client.of(id).at(-1)!.type, 'done', 'nothing follows');
    }
    client.socket.close();
  });
}

test('cancel ends a generation with done', async () => {
  using slow = await startTestServer({ delayMs: 1 });
  const client = await Client.open('sluice.v1.json', slow.port);
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x', max_tokens: 2000 } });
  client.send({ type: 'generate', id: 'b', request: { prompt: 'x', max_tokens: 20 } });
  await eventually(() => client.of('a').length > 0);
  client.send({ type: 'cancel', id: 'a' });
  client.send({ type: 'cancel', id: 'never sent' });
  assert.equal((await client.ended('a')).choices[0]!.finish_reason, 'cancelled');
  assert.equal((await client.ended('b')).choices[0]!.finish_reason, 'length');
  client.socket.close();
});

test('cancel while the prompt is tokenised ends the same way', async () => {
  using gated = await startTestServer();
  let open = () => {};
  gated.text.gate = new Promise((resolve) => {
    open = resolve;
  });
  const client = await Client.open('sluice.v1.json', gated.port);
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x', n: 2 } });
  client.send({ type: 'cancel', id: 'a' });
  client.send({ type: 'generate', id: 'b', request: { prompt: 'x', temperature: 9 } });
  await client.ended('b'); // the server has read the cancel before this
  open();
  const { type, choices, usage } = await client.ended('a');
  assert.equal(type, 'done');
  assert.deepEqual(
    choices.map(({ finish_reason }) => finish_reason),
    ['cancelled', 'cancelled'],
  );
  assert.equal(usage.completion_tokens, 0);
  assert.equal(gated.engine.requests.length, 0);
  client.socket.close();
});

test('closing the socket cancels what runs on it', async () => {
  using slow = await startTestServer({ delayMs: 1 });
  const client = await Client.open('sluice.v1.json', slow.port);
  for (const id of ['a', 'b'])
    client.send({ type: 'generate', id, request: { prompt: 'x', max_tokens: 2000 } });
  await eventually(() => slow.engine.running === 2);
  client.socket.terminate();
  await eventually(() => slow.engine.running === 0);
  assert.equal(slow.engine.cancelled.length, 2);
});

test('requests are validated as over HTTP', async () => {
  const client = await Client.open();
  const cases: [request: object, code: string, param: string][] = [
    [{ prompt: 'a', temperature: 9 }, 'invalid_value', 'temperature'],
    [{ prompt: 'a', model: 'x' }, 'model_not_found', 'model'],
    [{ prompt: 'a'.repeat(3000) }, 'context_length_exceeded', 'prompt'],
    [{ messages: [{ role: 'x', content: '' }] }, 'invalid_value', 'messages.0.role'],
    [{}, 'invalid_value', 'prompt'],
  ];
  for (const [index, [request, code, param]] of cases.entries()) {
    client.send({ type: 'generate', id: `v${index}`, request });
    const { type, error } = await client.ended(`v${index}`);
    assert.equal(type, 'error');
    assert.equal(error.code, code);
    assert.equal(error.param, param);
  }
  client.socket.close();
});

test('malformed messages get an error and the socket lives on', async () => {
  const client = await Client.open();
  const bad = [
    '{',
    'null',
    '[]',
    '{"type":"dance","id":"x"}',
    '{"type":"generate","request":{}}',
    '{"type":"generate","id":""}',
  ];
  for (const text of bad) client.socket.send(text);
  client.socket.send(Buffer.from('{"type":"cancel","id":"x"}')); // a binary frame
  await eventually(() => client.received.length === bad.length + 1);
  assert.ok(client.received.every(({ type }) => type === 'error'));
  client.send({ type: 'generate', id: 'still', request: { prompt: 'a', max_tokens: 1 } });
  assert.equal((await client.ended('still')).type, 'done');
  client.socket.close();
});

test('NaN and other things only MessagePack can say are refused', async () => {
  const client = await Client.open('sluice.v1.msgpack');
  client.send({ type: 'generate', id: 'nan', request: { prompt: 'a', temperature: Number.NaN } });
  assert.equal((await client.ended('nan')).error.param, 'temperature');
  client.send({ type: 'generate', id: 'date', request: { prompt: new Date() } });
  assert.equal((await client.ended(null)).error.code, 'invalid_request');
  client.socket.close();
});

test('an id may not be used twice at once', async () => {
  using slow = await startTestServer({ delayMs: 1 });
  const client = await Client.open('sluice.v1.json', slow.port);
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x', max_tokens: 50 } });
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x', max_tokens: 50 } });
  assert.equal((await client.ended('a')).error.code, 'duplicate_id');
  await eventually(() => client.of('a').some(({ type }) => type === 'done'));
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x', max_tokens: 1 } });
  await eventually(() => client.of('a').filter(({ type }) => type === 'done').length === 2);
  client.socket.close();
});

test('generations in flight on one socket are bounded', async () => {
  const client = await Client.open();
  for (const id of ['a', 'b', 'c', 'd'])
    client.send({ type: 'generate', id, request: { prompt: 'x', max_tokens: 500 } });
  const { error } = await client.ended('d');
  assert.equal(error.code, 'queue_full');
  assert.equal((error as Record<string, unknown>).retry_after_seconds, 1);
  assert.equal((await client.ended('a')).type, 'done');
  client.socket.close();
});

test('a message over the limit closes the socket, with the reason', async () => {
  const client = await Client.open();
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x'.repeat(15_000) } });
  const [code, reason] = await once(client.socket, 'close');
  assert.deepEqual([code, String(reason)], [1009, 'body_too_large']);
  assert.equal(client.of(null)[0]!.error.code, 'body_too_large');
});

test('a message far over the limit is not even received', async () => {
  const client = await Client.open();
  client.socket.on('error', () => undefined);
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x'.repeat(50_000) } });
  const [code] = await once(client.socket, 'close');
  assert.equal(code, 1006);
});

test('a socket that does not read is closed for it', async () => {
  using flood = await startTestServer({
    maxContext: 10_000_000,
    reply: () => 'x'.repeat(1_000_000),
    settings: { 'websocket.maxBufferBytes': 64 * 1024 },
  });
  const client = await Client.open('sluice.v1.json', flood.port);
  client.socket.pause();
  client.send({ type: 'generate', id: 'a', request: { prompt: 'x', max_tokens: 1_000_000, n: 64 } });
  await eventually(() => flood.engine.cancelled.length === 1);
  const closed = once(client.socket, 'close');
  client.socket.resume();
  const [code, reason] = await closed;
  assert.equal(code, 1008);
  assert.equal(String(reason), 'slow_reader');
});

test('pings are answered', async () => {
  const client = await Client.open();
  client.socket.ping('hello');
  const [payload] = await once(client.socket, 'pong');
  assert.equal(String(payload), 'hello');
  client.socket.close();
});

test('an unknown subprotocol, a foreign origin or host: refused', async () => {
  const status = (options: { protocol?: string; origin?: string; host?: string }) =>
    new Promise((resolve) => {
      const headers = options.host ? { headers: { host: options.host } } : {};
      const origin = options.origin ? { origin: options.origin } : {};
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/stream`, options.protocol ?? [], {
        ...headers,
        ...origin,
      });
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
      socket.on('open', () => {
        socket.close();
        resolve(101);
      });
      socket.on('error', () => undefined);
    });
  assert.equal(await status({}), 101, 'without a subprotocol it is JSON');
  assert.equal(await status({ protocol: 'chat' }), 400);
  assert.equal(await status({ origin: 'https://attacker.example' }), 400);
  assert.equal(await status({ origin: `http://127.0.0.1:${server.port}` }), 101);
  assert.equal(await status({ host: 'attacker.example' }), 400);
});

test('a plain GET says what the route is for', async () => {
  const response = await fetch(`${server.url}/v1/stream`);
  assert.equal(response.status, 400);
  assert.match(((await response.json()) as { error: { message: string } }).error.message, /WebSocket/);
});

test('connections are counted', async () => {
  const client = await Client.open();
  const count = async () =>
    /sluice_websocket_connections (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())![1];
  await eventually(async () => (await count()) === '1');
  client.socket.close();
  await eventually(async () => (await count()) === '0');
});
