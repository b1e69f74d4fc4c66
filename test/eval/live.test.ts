import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createKey } from '../../src/auth/index.js';
import { correctionsAsSuite } from '../../src/eval/live/corrections.js';
import { parseSuite } from '../../src/eval/suite/load.js';
import { noLimits } from '../../src/store/index.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { StubEmbedder } from '../support/stub-embedder.js';
import { StubUpstream, says } from '../support/upstream.js';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-live-'));
  folders.push(folder);
  return folder;
}

/** An operator's address that keeps what it is sent. */
async function startReceiver() {
  const received: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function ask(server: TestServer, model: string, user: number): Promise<string> {
  const body = {
    model,
    user: `user-${user}`,
    prompt: 'Q: What is the capital of France?\nA:',
    max_tokens: 20,
  };
  const response = await server.post('/v1/completions', body);
  assert.equal(response.status, 200);
  return ((await response.json()) as { id: string }).id;
}

interface Status {
  models: { model: string; samples: number; mean: number | null }[];
  routes: { comparisons: { variant: string; measure: string; verdict: string; action: string }[] }[];
}

test('a split’s variant that ignores stop strings: found by the scorers, alerted about once, taken out of the split', async () => {
  await using good = await StubUpstream.start(says(' Paris'));
  await using bad = await StubUpstream.start(says(' Paris\nQ: And of Italy?\nA: Rome\nQ:'));
  await using operator = await startReceiver();
  const server = await startTestServer({
    withoutEngine: true,
    dataFolder: dataFolder(),
    settings: {
      'routing.models': [
        { id: 'plain', upstream: { url: good.url, probeIntervalMs: 0 } },
        { id: 'runs-on', upstream: { url: bad.url, probeIntervalMs: 0 } },
      ],
      'routing.routes': [{ name: 'chat', strategy: 'weighted', models: ['plain', 'runs-on'] }],
      'evaluation.share': 1,
      'evaluation.rollback': true,
      'evaluation.scorers': [{ type: 'regex', name: 'one_line', pattern: '\\n', not: true }],
      'alerts.url': operator.url,
      'alerts.secret': 'a secret of the operator',
    },
  });
  try {
    for (let user = 0; user < 120; user += 1) await ask(server, 'chat', user);
    await eventually(() => operator.received.length > 0);
    const [alert] = operator.received;
    assert.equal(alert!.type, 'evaluation.alert');
    assert.equal(alert!.subject, 'variant chat runs-on quality worse');
    assert.equal(alert!.action, 'take runs-on back');

    const before = bad.calls.length;
    for (let user = 200; user < 230; user += 1) await ask(server, 'chat', user);
    assert.equal(bad.calls.length, before, 'nobody is sent to it any more');
    const status = (await (await fetch(`${server.url}/admin/evaluation`)).json()) as Status;
    const verdict = status.routes[0]!.comparisons.find(({ measure }) => measure === 'quality');
    assert.equal(verdict!.verdict, 'worse');
    assert.equal(
      operator.received.filter(({ subject }) => subject === alert!.subject).length,
      1,
      'told once',
    );
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /llm_eval_score_count\{model="runs-on",eval_type="one_line"\} [1-9]/);
  } finally {
    await server.close();
  }
});

test('a model whose answers score below the bound is alerted about', async () => {
  await using empty = await StubUpstream.start(says(''));
  await using operator = await startReceiver();
  const server = await startTestServer({
    withoutEngine: true,
    settings: {
      'routing.models': [{ id: 'mute', upstream: { url: empty.url, probeIntervalMs: 0 } }],
      'evaluation.share': 1,
      'evaluation.alertSamples': 5,
      'alerts.url': operator.url,
      'alerts.secret': 'a secret of the operator',
    },
  });
  try {
    for (let user = 0; user < 8; user += 1) await ask(server, 'mute', user);
    await eventually(() => operator.received.length > 0);
    assert.equal(operator.received[0]!.subject, 'low_score mute');
    assert.equal(operator.received[0]!.mean, 0);
  } finally {
    await server.close();
  }
});

test('feedback: bad answers are evaluated, corrections become cases of their own tenant only', async () => {
  const server = await startTestServer({
    dataFolder: dataFolder(),
    reply: () => 'Lyon',
    settings: { 'evaluation.share': 0.000001, 'evaluation.keepTexts': true },
  });
  try {
    const { store, refresh } = server.tenancy!.office!;
    const keyOf = async (organisation: string) => {
      const owner = { organisation, team: null, user: null };
      const rest = { name: 'k', isAdmin: false, models: null, guardProfile: null, expiresAtMs: null };
      return (await createKey(store, { ...owner, ...rest, limits: noLimits }, Date.now())).key;
    };
    const [own, foreign] = [await keyOf('acme'), await keyOf('globex')];
    await refresh();
    const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const prompt = 'The capital of {{France}} is';
    const body = { prompt, max_tokens: 9, stop: '\n' };
    const answer = await server.post('/v1/completions', body, as(own));
    const { id } = (await answer.json()) as { id: string };
    const say = (key: string, body: object) =>
      server.post('/v1/feedback', { request_id: id, ...body }, as(key));

    assert.equal((await say(foreign, { rating: 'down', correction: 'Nice' })).status, 200);
    const kept = await say(own, { rating: 'down', correction: 'Paris' });
    assert.deepEqual(await kept.json(), { object: 'feedback', request_id: id, kept: true });
    assert.equal((await say(own, {})).status, 400);
    assert.equal((await say(own, { rating: 2 })).status, 400);

    await eventually(async () => (await store.correctedSamples(0, 10)).length > 0);
    const { text, cases } = correctionsAsSuite(await store.correctedSamples(0, 10));
    assert.equal(cases, 1);
    const [made] = parseSuite(text, { name: 'corrections', isLines: true, format: undefined }).cases;
    assert.deepEqual(made!.vars, { texts: [prompt], correction: 'Paris' });
    assert.deepEqual(made!.params, { max_tokens: 9, stop: ['\n'] });
  } finally {
    await server.close();
  }
});

test('texts stay out of the store unless they are asked for', async () => {
  const server = await startTestServer({ dataFolder: dataFolder(), settings: { 'evaluation.share': 1 } });
  try {
    await server.post('/v1/completions', { prompt: 'a secret', max_tokens: 4 });
    const { store } = server.tenancy!.office!;
    await eventually(async () => (await store.evalSamples(0, 10)).length > 0);
    const [{ body } = { body: '' }] = await store.evalSamples(0, 10);
    assert.doesNotMatch(body, /secret/);
    assert.match(body, /"name":"rules"/);
  } finally {
    await server.close();
  }
});

test('texts that are kept have neither personal data nor secrets; feedback neither', async () => {
  const server = await startTestServer({
    dataFolder: dataFolder(),
    reply: () => 'Write to carol@example.com.',
    settings: { 'evaluation.share': 1, 'evaluation.keepTexts': true },
  });
  try {
    const prompt = 'Mail bob@example.com, card 4111 1111 1111 1111, from Hamburg';
    const answer = await server.post('/v1/completions', { prompt, max_tokens: 40 });
    const { id } = (await answer.json()) as { id: string };
    const feedback = {
      request_id: id,
      correction: 'Write to dave@example.com.',
      comment: 'call +49 30 901820',
    };
    assert.equal((await server.post('/v1/feedback', feedback)).status, 200);
    const { store } = server.tenancy!.office!;
    await eventually(async () => (await store.correctedSamples(0, 10)).length > 0);
    const kept = JSON.stringify([await store.evalSamples(0, 10), await store.correctedSamples(0, 10)]);
    assert.match(kept, /from Hamburg/);
    assert.match(kept, /Write to \[REDACTED_EMAIL\]/);
    for (const value of ['bob@', '4111', 'carol@', 'dave@', '901820'])
      assert.ok(!kept.includes(value), value);
  } finally {
    await server.close();
  }
});

test('a judge sees of a text what the guards of its key leave', async () => {
  await using judge = await StubUpstream.start(says('{"reason": "fine", "rating": 5}'));
  const server = await startTestServer({
    dataFolder: dataFolder(),
    reply: () => 'Done.',
    settings: {
      'routing.models': [{ id: 'judge', upstream: { url: judge.url, probeIntervalMs: 0 } }],
      'guards.profiles': { hiding: { input: [{ guard: 'pii', mode: 'reversible' }] } },
      'evaluation.share': 1,
      'evaluation.judge': 'judge',
      'evaluation.criteria': ['answers what was asked'],
    },
  });
  try {
    const { store, refresh } = server.tenancy!.office!;
    const owner = { organisation: 'acme', team: null, user: null, name: 'k', isAdmin: false, models: null };
    const fields = { ...owner, guardProfile: 'hiding', expiresAtMs: null, limits: noLimits };
    const { key } = await createKey(store, fields, Date.now());
    await refresh();
    const body = { model: 'stub', prompt: 'Mail bob@example.com from Hamburg', max_tokens: 9 };
    await server.post('/v1/completions', body, { headers: { authorization: `Bearer ${key}` } });
    await eventually(() => judge.calls.length > 0);
    const seen = JSON.stringify(judge.calls.map((call) => call.body));
    assert.match(seen, /from Hamburg/);
    assert.doesNotMatch(seen, /bob@example/);
  } finally {
    await server.close();
  }
});

/** Samples that were taken though the share is next to nothing. */
async function samplesBy(server: TestServer): Promise<{ reasons: string[]; scores: { name: string }[] }[]> {
  const rows = await server.tenancy!.office!.store.evalSamples(0, 10);
  return rows.map(({ body }) => JSON.parse(body));
}

test('an answer that a guard has warned of is evaluated, and one without a warning isn’t', async () => {
  const warning = { guard: 'keywords', mode: 'warn', options: { words: { money: ['refund'] } } };
  const server = await startTestServer({
    dataFolder: dataFolder(),
    settings: {
      'evaluation.share': 1e-9,
      'guards.profile': 'watching',
      'guards.profiles': { watching: { input: [warning], output: [warning] } },
    },
  });
  try {
    await server.post('/v1/completions', { prompt: 'a parcel', max_tokens: 4 });
    await server.post('/v1/completions', { prompt: 'a refund', max_tokens: 4, stream: true });
    await eventually(async () => (await samplesBy(server)).length > 0);
    const samples = await samplesBy(server);
    assert.deepEqual(
      samples.map(({ reasons }) => reasons),
      [['guard_warning']],
    );
  } finally {
    await server.close();
  }
});

test('an answer to a similar question is evaluated against a fresh one', async () => {
  const server = await startTestServer({
    dataFolder: dataFolder(),
    embedder: new StubEmbedder(),
    reply: () => 'rm -r folder',
    settings: {
      'evaluation.share': 1e-9,
      'semanticCache.enabled': true,
      'semanticCache.byDefault': true,
      'semanticCache.timeoutMs': 10_000,
    },
  });
  try {
    const ask = async (content: string) => {
      const messages = [{ role: 'user', content }];
      const response = await server.post('/v1/chat/completions', {
        messages,
        temperature: 0,
        max_tokens: 40,
      });
      await response.text();
      return response.headers.get('x-sluice-cache');
    };
    assert.equal(await ask('How do I delete a folder in Linux?'), 'miss');
    await eventually(
      async () => (await ask('Please tell me how to remove a directory in Linux.')) === 'hit-l3',
    );
    await eventually(async () => (await samplesBy(server)).length > 0);
    const [sample] = await samplesBy(server);
    assert.deepEqual(sample!.reasons, ['cache_hit']);
    assert.ok(sample!.scores.some(({ name }) => name === 'cache_overlap'));
  } finally {
    await server.close();
  }
});
