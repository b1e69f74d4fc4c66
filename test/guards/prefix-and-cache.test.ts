import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.js';

/** Guards beside what keeps texts: pinned prefixes and cached answers. And who is blocked too often. */

const words = (list: string[]) => ({ words: { secret: list } });
let server: TestServer;
before(async () => {
  server = await startTestServer({
    reply: () => 'it is a swordfish',
    settings: {
      'guards.profile': 'standard',
      'guards.profiles': {
        standard: { input: [{ guard: 'keywords', options: words(['forbidden']) }] },
        blocking: { output: [{ guard: 'keywords', mode: 'block', options: words(['swordfish']) }] },
        redacting: { output: [{ guard: 'keywords', mode: 'redact', options: words(['swordfish']) }] },
      },
      'guards.maxBlocks': 3,
    },
  });
});
after(() => server.close());

async function ask(prompt: string, more: object = {}) {
  const response = await server.post('/v1/completions', { prompt, temperature: 0, max_tokens: 17, ...more });
  const body = (await response.json()) as { choices: { text: string }[]; error?: { code: string } };
  return {
    status: response.status,
    text: body.choices?.[0]?.text,
    code: body.error?.code,
    headers: response.headers,
  };
}

test('a prefix is checked when it is pinned', async () => {
  assert.equal((await server.post('/v1/prefixes', { prompt: 'a forbidden prefix' })).status, 400);
  assert.equal((await server.post('/v1/prefixes', { prompt: 'a good prefix' })).status, 200);
});

test('a blocked answer is not kept, streamed or not', async () => {
  const before = server.engine.requests.length;
  assert.equal((await ask('one', { guards: 'blocking' })).code, 'content_policy_violation');
  assert.equal((await ask('one', { guards: 'blocking' })).code, 'content_policy_violation');
  assert.equal(server.engine.requests.length, before + 2);
});

test('a cached answer passes the guards of who gets it', async () => {
  assert.equal((await ask('two')).text, 'it is a swordfish');
  const before = server.engine.requests.length;
  const redacted = await ask('two', { guards: 'redacting' });
  assert.equal(redacted.text, 'it is a [REDACTED_SECRET]');
  assert.equal(server.engine.requests.length, before, 'it came from the cache');
  assert.equal((await ask('two')).text, 'it is a swordfish', 'the cache has it as the model wrote it');
});

test('who is blocked again and again has to wait', async () => {
  const user = { user: 'prober' };
  const statuses: number[] = [];
  for (let i = 0; i < 5; i += 1) statuses.push((await ask('forbidden', user)).status);
  assert.deepEqual(statuses, [400, 400, 400, 400, 429]);
  const refused = await ask('good', user);
  assert.equal(refused.code, 'rate_limit_exceeded');
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal((await ask('good', { user: 'other' })).status, 200);
});
