import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { RawClient } from './client.js';
import { Connection } from './connection.js';

const SILENCE_MS = 200;

/** A connection's timer alone keeps no process running. */
const running = setInterval(() => undefined, 1_000);
after(() => clearInterval(running));

/** Clients that answer in the next turn of the event loop, after its timers, as a socket does, or not at all. */
function scriptedServer() {
  const server = { isSilent: false, destroyed: 0, open: newClient };
  function newClient(): RawClient {
    let end: (error: Error) => void = () => undefined;
    const over = new Promise<never>((_, reject) => {
      end = reject;
    });
    over.catch(() => undefined);
    return {
      connect: async () => undefined,
      send: () => (server.isSilent ? over : Promise.race([nextTurn(1), over])),
      subscribe: async () => undefined,
      destroy: () => {
        server.destroyed += 1;
        end(new Error('destroyed'));
      },
      fault: () => null,
    };
  }
  return server;
}

test('a server that says nothing is given up, and another connection made', async () => {
  const server = scriptedServer();
  const connection = new Connection(server.open, SILENCE_MS);
  await connection.open(1_000);
  server.isSilent = true;
  await assert.rejects(connection.send('', ['ASK']), /destroyed/);
  server.isSilent = false;
  assert.equal(await connection.send('', ['ASK']), 1);
  connection.close();
});

test('who was held up itself reads first what was said meanwhile', async () => {
  const server = scriptedServer();
  const connection = new Connection(server.open, SILENCE_MS);
  await connection.open(1_000);
  const asked = connection.send('', ['ASK']);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * SILENCE_MS);
  assert.equal(await asked, 1);
  await delay(SILENCE_MS);
  assert.equal(server.destroyed, 0);
  connection.close();
});
