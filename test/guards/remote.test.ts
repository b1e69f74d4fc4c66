import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { sign } from '../../src/cost/webhook.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** Guards that ask an endpoint: a signed webhook, and OpenAI's wire for moderations. */

const SECRET = 'a secret of sixteen characters';
let endpoint: Server;
let server: TestServer;
let asked: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
let answer: { status: number; body: unknown; delayMs: number };

before(async () => {
  endpoint = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      asked.push({ path: request.url!, headers: request.headers, body });
      setTimeout(() => {
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body));
      }, answer.delayMs);
    });
  }).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  server = await startTestServer({
    reply: () => 'fine, says 4111 1111 1111 1111',
    settings: {
      'guards.custom': [
        { name: 'hook', webhook: { url: `${url}/hook`, secret: SECRET } },
        { name: 'moderator', moderation: { url: `${url}/v1`, model: 'm' } },
      ],
      'guards.timeoutMs': 20_000,
      'guards.profiles': {
        hooked: {
          input: [{ guard: 'pii', mode: 'redact' }, { guard: 'hook' }],
        },
        hurried: { input: [{ guard: 'hook', timeoutMs: 100 }] },
        answers: { output: [{ guard: 'hook' }] },
        moderated: { input: [{ guard: 'moderator', categories: ['violence'] }] },
      },
    },
  });
});
after(async () => {
  await server.close();
  endpoint.closeAllConnections();
  endpoint.close();
});

async function ask(guards: string, prompt = 'mail bob@example.com') {
  asked = [];
  const response = await server.post('/v1/completions', { prompt, guards, max_tokens: 64, temperature: 0 });
  const body = (await response.json()) as {
    error?: { code: string; guard: { category: string } };
    choices: { text: string }[];
  };
  return { status: response.status, body };
}

test('a webhook gets what other guards have left of the text, signed, and its verdict counts', async () => {
  answer = { status: 200, body: { action: 'block', category: 'policy 7', score: 0.8 }, delayMs: 0 };
  const { status, body } = await ask('hooked');
  assert.equal(status, 400);
  assert.equal(body.error!.guard.category, 'policy 7');
  const { headers, body: sent } = asked[0]!;
  const { texts, stage, tenant } = JSON.parse(sent) as { texts: object[]; stage: string; tenant: string };
  assert.deepEqual(texts, [{ text: 'mail [REDACTED_EMAIL]', origin: 'user' }]);
  assert.deepEqual([stage, tenant], ['input', 'default']);
  const [, seconds, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['sluice-signature']))!;
  assert.equal(signature, sign(SECRET, Number(seconds), sent));
});

test('spans of a later guard are those of the text that it has seen', async () => {
  const spans = [{ start: 0, end: 4, category: 'verb' }];
  answer = { status: 200, body: { action: 'redact', spans }, delayMs: 0 };
  assert.equal((await ask('hooked')).status, 200);
  const seen = Buffer.from(server.engine.requests.at(-1)!.prompt.subarray(1)).toString();
  assert.equal(seen, '[REDACTED_VERB] [REDACTED_EMAIL]');
});

test('an answer waits for it', async () => {
  answer = {
    status: 200,
    body: { action: 'redact', spans: [{ start: 0, end: 4, category: 'x' }] },
    delayMs: 0,
  };
  const { body } = await ask('answers');
  assert.equal(body.choices[0]!.text, '[REDACTED_X], says 4111 1111 1111 1111');
});

for (const [what, profile, fault] of [
  ['late', 'hurried', { status: 200, body: { action: 'pass' }, delayMs: 2_000 }],
  ['failing', 'hooked', { status: 500, body: {}, delayMs: 0 }],
  ['talking nonsense', 'hooked', { status: 200, body: { verdict: 'ok' }, delayMs: 0 }],
] as const) {
  test(`one that is ${what} fails closed`, async () => {
    answer = fault;
    const { status, body } = await ask(profile);
    assert.deepEqual([status, body.error!.code], [503, 'guard_failed']);
  });
}

test('a moderation endpoint flags by category', async () => {
  const results = [
    { categories: { violence: true, hate: false }, category_scores: { violence: 0.9, hate: 0 } },
  ];
  answer = { status: 200, body: { results }, delayMs: 0 };
  const { status, body } = await ask('moderated');
  assert.deepEqual([status, body.error!.guard.category], [400, 'violence']);
  assert.deepEqual(JSON.parse(asked[0]!.body), { input: ['mail bob@example.com'], model: 'm' });
  assert.equal(asked[0]!.path, '/v1/moderations');
  answer = { status: 200, body: { results: [] }, delayMs: 0 };
  assert.equal((await ask('moderated')).status, 503);
});
