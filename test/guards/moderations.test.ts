import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { moderationCategories } from '../../src/guards/detect/moderation/categories.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** /v1/moderations, and the moderation and topic guards. */

let server: TestServer;
before(async () => {
  server = await startTestServer({
    reply: () => 'I will kill you tonight. And then I will kill your family. This is what I am going to do.',
    delayMs: 1,
    settings: {
      'guards.profiles': {
        moderated: { output: [{ guard: 'moderation' }] },
        topical: {
          input: [
            { guard: 'topics', options: { topics: { tax: ['tax', 'taxes'], pets: ['cat'] }, deny: ['tax'] } },
          ],
        },
        only: { input: [{ guard: 'topics', options: { topics: { pets: ['cat'] }, allow: ['pets'] } }] },
      },
    },
  });
});
after(() => server.close());

interface Moderation {
  id: string;
  results: {
    flagged: boolean;
    categories: Record<string, boolean>;
    category_scores: Record<string, number>;
  }[];
}

async function moderate(input: unknown): Promise<{ status: number; body: Moderation }> {
  const response = await server.post('/v1/moderations', { model: 'omni-moderation-latest', input });
  return { status: response.status, body: (await response.json()) as Moderation };
}

test('each text has a result in all 13 categories, and a threat is flagged as one', async () => {
  const { status, body } = await moderate(['I will kill you tonight.', 'The weather is nice today.']);
  assert.equal(status, 200);
  assert.match(body.id, /^modr-/);
  const [threat, harmless] = body.results;
  assert.deepEqual(Object.keys(threat!.category_scores).sort(), [...moderationCategories].sort());
  assert.equal(threat!.flagged, true);
  assert.ok(threat!.categories.violence || threat!.categories['harassment/threatening']);
  assert.equal(harmless!.flagged, false);
  for (const score of Object.values(threat!.category_scores)) assert.ok(score >= 0 && score <= 1);
});

test('a single text and parts are one text', async () => {
  assert.equal((await moderate('The weather is nice today.')).body.results.length, 1);
  const parts = [
    { type: 'text', text: 'one' },
    { type: 'text', text: 'two' },
  ];
  assert.equal((await moderate(parts)).body.results.length, 1);
  assert.equal((await moderate([{ type: 'image_url', image_url: { url: 'x' } }])).status, 400);
});

test('an answer is judged by its sentences while it streams', async () => {
  const body = { prompt: 'x', max_tokens: 200, stream: true, guards: 'moderated' };
  const text = await (await server.post('/v1/completions', body)).text();
  assert.match(text, /"finish_reason":"content_filter"/);
  assert.match(text, /"guard":"moderation"/);
});

test('topics are allowed or denied', async () => {
  const ask = async (guards: string, prompt: string) =>
    (await server.post('/v1/completions', { prompt, guards, max_tokens: 4 })).status;
  assert.equal(await ask('topical', 'How do I pay my taxes?'), 400);
  assert.equal(await ask('topical', 'How do I feed my cat?'), 200);
  assert.equal(await ask('only', 'How do I feed my cat?'), 200);
  assert.equal(await ask('only', 'How do I feed my dog?'), 400);
});
