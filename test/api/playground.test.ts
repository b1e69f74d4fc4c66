import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '../support/server.js';

test('/ is a page that needs nothing from elsewhere', async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  const response = await fetch(`${server.url}/`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  const page = await response.text();
  assert.match(page, /<form id="form">/);
  assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//);
});
