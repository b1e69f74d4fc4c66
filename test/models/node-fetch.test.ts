import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { nodeFetch } from '../../src/models/node-fetch.js';
import { someBytes } from './support/setup.js';

const fetch = nodeFetch(() => undefined);

/** A server that answers every connection with these bytes, then says it is done; `ended` resolves when it has. */
async function serve(
  t: TestContext,
  ...answer: (Buffer | string)[]
): Promise<{ url: URL; ended: Promise<unknown> }> {
  let end: (value: unknown) => void = () => undefined;
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      for (const bytes of answer) socket.write(bytes);
      socket.end(() => end(null));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), ended };
}

test('a server that closes the connection before its body is read', async (t) => {
  const body = someBytes(32 * 1024);
  const { url, ended } = await serve(
    t,
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
    body,
  );
  const response = await fetch(url, {});
  await ended;
  // Turns of the event loop, in which the end of the connection arrives while nobody reads.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
});

test('a body that ends with its connection', async (t) => {
  const { url } = await serve(t, 'HTTP/1.0 200 OK\r\n\r\n', 'all of it');
  assert.equal(await (await fetch(url, {})).text(), 'all of it');
});

test('a body that is cut short is an error', async (t) => {
  const { url } = await serve(t, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'too little');
  const response = await fetch(url, {});
  await assert.rejects(response.text());
});

test('answers that are not HTTP, and statuses that it does not have', async (t) => {
  for (const answer of ['nonsense\r\n\r\n', 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n']) {
    const { url } = await serve(t, answer);
    await assert.rejects(fetch(url, {}));
  }
});

test('an abort says why, before the answer and in its body', async (t) => {
  const why = new Error('enough');
  const { url } = await serve(t, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'some');
  await assert.rejects(fetch(url, { signal: AbortSignal.abort(why) }), why);
  const stop = new AbortController();
  const response = await fetch(url, { signal: stop.signal });
  stop.abort(why);
  await assert.rejects(response.text());
});
