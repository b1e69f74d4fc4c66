import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSemanticEntries } from '../../src/cache/semantic/database.js';
import { eventually } from '../support/eventually.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';
import { StubEmbedder } from '../support/stub-embedder.js';

/** Answers to questions that mean the same, as clients meet them. */

const question = 'How do I delete a folder in Linux?';
const paraphrase = 'Please tell me how to remove a directory in Linux.';
const nearDuplicate = 'How do I delete a folder in Windows?';

function dataFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-l3-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(t: TestContext, folder: string, settings: Record<string, unknown> = {}) {
  const embedder = new StubEmbedder();
  const server = await startTestServer({
    dataFolder: folder,
    embedder,
    reply: ({ id }) => `answer ${id}`,
    settings: {
      'semanticCache.enabled': true,
      'semanticCache.byDefault': true,
      'semanticCache.timeoutMs': 10_000,
      ...settings,
    },
  });
  let isOpen = true;
  const close = async () => {
    if (isOpen) await server.close();
    isOpen = false;
  };
  t.after(close);
  return { server, embedder, close };
}

interface Asked {
  status: string; // x-sluice-cache
  text: string;
  headers: Headers;
}

async function ask(
  server: TestServer,
  content: string,
  { key, system = 'Be brief.', ...fields }: { key?: string; system?: string; [field: string]: unknown } = {},
): Promise<Asked> {
  const body = {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content },
    ],
    temperature: 0,
    max_tokens: 40,
    ...fields,
  };
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await server.post('/v1/chat/completions', body, { headers });
  assert.equal(response.status, 200, await response.clone().text());
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  return {
    status: response.headers.get('x-sluice-cache') ?? 'none',
    text: choices[0]!.message.content,
    headers: response.headers,
  };
}

/** The level is filled behind the answer's back. */
async function askAndKeep(server: TestServer, content: string, fields: Record<string, unknown> = {}) {
  const before = await kept(server);
  const asked = await ask(server, content, fields);
  await eventually(async () => (await kept(server)) === before + 1);
  return asked;
}

async function kept(server: TestServer): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^sluice_cache_entries\{cache_level="l3"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
}

test('a question in other words gets the answer, and says how near it is; then it is a question of its own', async (t) => {
  const { server } = await start(t, dataFolder(t));
  const first = await askAndKeep(server, question);
  assert.equal(first.status, 'miss');
  const second = await ask(server, paraphrase);
  assert.equal(second.status, 'hit-l3');
  assert.equal(second.text, first.text);
  const similarity = Number(second.headers.get('x-sluice-cache-similarity'));
  assert.ok(similarity > 0.9 && similarity <= 1);
  assert.match(second.headers.get('x-sluice-cache-age')!, /^\d+$/);
  assert.equal((await ask(server, paraphrase)).status, 'hit-l1');
});

test('a hit streams as any answer does', async (t) => {
  const { server } = await start(t, dataFolder(t));
  const { text } = await askAndKeep(server, question);
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: paraphrase },
  ];
  const body = { messages, temperature: 0, max_tokens: 40, stream: true };
  const response = await server.post('/v1/chat/completions', body);
  assert.equal(response.headers.get('x-sluice-cache'), 'hit-l3');
  const events = (await sseEvents(response)) as { choices?: { delta: { content?: string } }[] }[];
  const streamed = events.flatMap((event) => event.choices?.map(({ delta }) => delta.content ?? '') ?? []);
  assert.equal(streamed.join(''), text);
});

test('a near-duplicate is computed', async (t) => {
  const { server } = await start(t, dataFolder(t));
  const first = await askAndKeep(server, question);
  const other = await ask(server, nearDuplicate);
  assert.equal(other.status, 'miss');
  assert.notEqual(other.text, first.text);
});

test('everything but the last message must be the same', async (t) => {
  const { server } = await start(t, dataFolder(t));
  await askAndKeep(server, question);
  const turns = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: paraphrase },
  ];
  for (const change of [
    { system: 'Be verbose.' },
    { max_tokens: 41 },
    { stop: ['x'] },
    { frequency_penalty: 1 },
    { messages: turns },
  ])
    assert.equal((await ask(server, paraphrase, change)).status, 'miss', JSON.stringify(change));
  assert.equal((await ask(server, paraphrase)).status, 'hit-l3');
});

test('a prompt that is alone is a question too', async (t) => {
  const { server } = await start(t, dataFolder(t));
  const complete = async (prompt: unknown) => {
    const response = await server.post('/v1/completions', { prompt, temperature: 0, max_tokens: 8 });
    await response.body!.cancel();
    return response.headers.get('x-sluice-cache');
  };
  assert.equal(await complete(question), 'miss');
  await eventually(async () => (await kept(server)) === 1);
  assert.equal(await complete([paraphrase, 'other']), 'miss');
  assert.equal(await complete(paraphrase), 'hit-l3');
});

test('it is for requests that allow it: by themselves, by their key, or by default', async (t) => {
  const folder = dataFolder(t);
  const { server, embedder, close } = await start(t, folder, { 'semanticCache.byDefault': false });
  await ask(server, question);
  assert.equal((await ask(server, paraphrase)).status, 'miss');
  assert.equal(embedder.embedded, 0);
  const other = 'Please tell me how to erase a directory in Linux.';
  await askAndKeep(server, 'How can I delete a folder in Linux?', { cache_similar: true });
  assert.equal((await ask(server, other)).status, 'miss');
  assert.equal(
    (await ask(server, 'How do I erase a folder in Linux?', { cache_similar: true })).status,
    'hit-l3',
  );
  await close();

  const all = await start(t, folder);
  assert.equal(
    (await ask(all.server, 'How do we erase a folder in Linux?', { cache_similar: false })).status,
    'miss',
  );
});

async function makeKey(server: TestServer, fields: object, admin?: string) {
  const init = admin === undefined ? {} : { headers: { authorization: `Bearer ${admin}` } };
  const response = await server.post('/admin/keys', fields, init);
  return (await response.json()) as { id: string; key: string };
}

test('nothing is shared between organisations, and keys can allow it', async (t) => {
  const folder = dataFolder(t);
  const first = await start(t, folder, { 'semanticCache.byDefault': false });
  const admin = await makeKey(first.server, { name: 'root', admin: true });
  const [a, b] = [
    await makeKey(first.server, { name: 'a', organisation: 'a' }, admin.key),
    await makeKey(first.server, { name: 'b', organisation: 'b' }, admin.key),
  ];
  await first.close();
  const { server, embedder } = await start(t, folder, {
    'semanticCache.byDefault': false,
    'semanticCache.keys': [a.id, b.id],
  });
  await ask(server, question, { key: admin.key });
  assert.equal(embedder.embedded, 0);
  await ask(server, question, { key: a.key });
  await eventually(() => embedder.embedded === 1);
  assert.equal((await ask(server, paraphrase, { key: b.key })).status, 'miss');
  assert.equal((await ask(server, paraphrase, { key: a.key })).status, 'hit-l3');
});

test('it outlives the process', async (t) => {
  const folder = dataFolder(t);
  const first = await start(t, folder);
  const { text } = await askAndKeep(first.server, question);
  await first.close();
  const second = await start(t, folder);
  const hit = await ask(second.server, paraphrase);
  assert.equal(hit.status, 'hit-l3');
  assert.equal(hit.text, text);
});

test('a purge takes answer and question, over the admin route or by a command', async (t) => {
  const folder = dataFolder(t);
  const { server } = await start(t, folder);
  const { headers } = await askAndKeep(server, question);
  assert.equal((await ask(server, paraphrase)).status, 'hit-l3'); // which memory now has too
  const purged = await server.post('/admin/cache/purge', { key: headers.get('x-sluice-cache-key') });
  assert.equal(purged.status, 200, await purged.clone().text());
  assert.equal(await kept(server), 0);
  assert.equal((await ask(server, paraphrase)).status, 'miss');
  await eventually(async () => (await kept(server)) === 1);

  const command = openSemanticEntries(folder);
  assert.equal(command.purge({}, Date.now()).dropped, 1);
  command.close();
  assert.equal((await ask(server, 'How can I erase a directory in Linux?')).status, 'miss');
});

test('a question that is too long for a vector is computed and not kept', async (t) => {
  const { server, embedder } = await start(t, dataFolder(t));
  const long = `${question} ${'really '.repeat(30)}`;
  assert.equal((await ask(server, long)).status, 'miss');
  assert.equal((await ask(server, `${long}?`)).status, 'miss');
  assert.equal(embedder.embedded, 0);
});

test('where words differ a model may be asked whether the same is meant; never about numbers or names', async (t) => {
  const verdicts = { say: 'yes', asked: 0 };
  const embedder = new StubEmbedder();
  const server = await startTestServer({
    dataFolder: dataFolder(t),
    embedder,
    reply: ({ id }) => {
      if (!id.includes('/cache')) return `answer ${id}`;
      verdicts.asked += 1;
      return verdicts.say;
    },
    settings: {
      'semanticCache.enabled': true,
      'semanticCache.byDefault': true,
      'semanticCache.timeoutMs': 10_000,
      'semanticCache.crossCheckModel': 'stub',
      'semanticCache.crossCheckMinCosine': 0,
    },
  });
  t.after(() => server.close());
  await askAndKeep(server, 'How do I unsubscribe from the newsletter?');
  verdicts.say = 'no';
  assert.equal((await ask(server, 'How can I stop the newsletter?')).status, 'miss');
  verdicts.say = 'yes';
  const second = await ask(server, 'How does one leave the newsletter?');
  assert.equal(second.status, 'hit-l3');
  assert.equal(verdicts.asked, 2);
  await ask(server, 'How do I unsubscribe from 3 newsletters?');
  await ask(server, 'How do I unsubscribe from the Paris newsletter?');
  assert.equal(verdicts.asked, 2);
});
