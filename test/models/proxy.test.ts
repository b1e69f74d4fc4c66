import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { fetchFromEnvironment } from '../../src/models/proxy.js';
import { TestServer } from './support/file-server.js';

/** A proxy that leads every tunnel to `server`, and notes where it was to lead. */
async function startProxy(t: TestContext, server: TestServer): Promise<{ url: string; targets: string[] }> {
  const targets: string[] = [];
  const proxy: Server = createServer();
  proxy.on('connect', (request, client) => {
    targets.push(request.url!);
    const upstream = connect(Number(new URL(server.origin).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => upstream.destroy());
    t.after(() => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, targets };
}

test('downloads go through the proxy of the environment, but not to this machine or NO_PROXY', async (t) => {
  const server = await TestServer.start((_request, response) => void response.end('model'));
  t.after(() => server[Symbol.asyncDispose]());
  const proxy = await startProxy(t, server);
  const fetch = fetchFromEnvironment({ HTTP_PROXY: proxy.url, NO_PROXY: 'direct.invalid' });
  const through = await fetch(new URL('http://models.invalid/x'), {});
  assert.equal(await through.text(), 'model');
  assert.deepEqual(proxy.targets, ['models.invalid:80']);
  assert.equal(await (await fetch(new URL(server.origin), {})).text(), 'model');
  await assert.rejects(fetch(new URL('http://direct.invalid/x'), {})); // .invalid resolves nowhere (RFC 6761)
  assert.equal(proxy.targets.length, 1);
});

test('hosts that NO_PROXY excepts', async (t) => {
  const server = await TestServer.start((_request, response) => void response.end('model'));
  t.after(() => server[Symbol.asyncDispose]());
  const proxy = await startProxy(t, server);
  const goesThrough = async (noProxy: string, address: string) => {
    const before = proxy.targets.length;
    const fetch = fetchFromEnvironment({ http_proxy: proxy.url, no_proxy: noProxy });
    await fetch(new URL(address), {}).then(
      (response) => response.text(),
      () => undefined,
    );
    return proxy.targets.length > before;
  };
  for (const noProxy of [
    '*',
    'a.invalid',
    '.a.invalid',
    '*.a.invalid',
    'x.invalid, A.invalid',
    'a.invalid:80',
  ]) {
    assert.equal(await goesThrough(noProxy, 'http://a.invalid/'), false, noProxy);
  }
  assert.equal(await goesThrough('a.invalid', 'http://b.a.invalid/'), false);
  for (const noProxy of ['', 'b.invalid', 'a.invalid:81', 'invalid.', 'xa.invalid']) {
    assert.equal(await goesThrough(noProxy, 'http://a.invalid/'), true, noProxy);
  }
  assert.equal(await goesThrough('a.invalid', 'http://xa.invalid/'), true);
});

test('without a proxy the address itself is asked', async (t) => {
  const server = await TestServer.start((_request, response) => void response.end('model'));
  t.after(() => server[Symbol.asyncDispose]());
  const response = await fetchFromEnvironment({})(new URL(server.origin), {});
  assert.equal(await response.text(), 'model');
});
