import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

test('/healthz says the process is up whatever the engine does', async () => {
  server.engine.isHealthy = false;
  const response = await fetch(`${server.url}/healthz`);
  server.engine.isHealthy = true;
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'ok' });
});

test('/readyz follows the engine', async () => {
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
  server.engine.isHealthy = false;
  const response = await fetch(`${server.url}/readyz`);
  server.engine.isHealthy = true;
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '5');
  assert.equal(((await response.json()) as { error: { code: string } }).error.code, 'model_not_ready');
});
