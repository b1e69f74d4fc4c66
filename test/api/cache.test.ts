import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import { projectRoot } from '../../src/support/root.js';
import { eventually } from '../support/eventually.js';
import { sseEvents, startTestServer, type TestServer } from '../support/server.js';
import { StubUpstream, says } from '../support/upstream.js';

/** Cached answers as clients, administrators and commands meet them. */

const folder = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
let server: TestServer;
before(async () => {
  server = await startTestServer({ dataFolder: folder, aliases: ['fast'], delayMs: 1 });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await purge({ all: true });
  server.engine.requests.length = 0;
  server.engine.cancelled.length = 0;
});

const body = { prompt: 'abc', max_tokens: 12, temperature: 0 };
const ask = (more: object = {}, headers: Record<string, string> = {}) =>
  server.post('/v1/completions', { ...body, ...more }, { headers });
const statusOf = (response: Response) => response.headers.get('x-sluice-cache');

interface Answer {
  choices: { text: string; finish_reason: string }[];
  usage: Record<string, unknown>;
}

async function purge(selector: object): Promise<Record<string, number>> {
  const response = await server.post('/admin/cache/purge', selector);
  const { dropped } = (await response.json()) as { dropped: Record<string, number> };
  return dropped;
}

/** Without what is each answer's own. */
async function said(response: Response): Promise<object> {
  assert.equal(response.status, 200, await response.clone().text());
  const { id: _, created: __, usage: ___, ...rest } = (await response.json()) as Record<string, unknown>;
  return rest;
}

const requests: [what: string, path: string, body: object, prompts?: number][] = [
  ['a completion', '/v1/completions', body],
  ['log-probabilities', '/v1/completions', { ...body, logprobs: 3 }],
  [
    'an echo of tokens with log-probabilities, several choices',
    '/v1/completions',
    { ...body, prompt: [97, 98], echo: true, logprobs: 2, n: 2 },
  ],
  ['several prompts', '/v1/completions', { ...body, prompt: ['naïve 🙂 ', 'b'], max_tokens: 40 }, 2],
  [
    'a chat with log-probabilities',
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: 'x' }], max_tokens: 9, seed: 1, logprobs: true, top_logprobs: 2 },
  ],
  [
    'a prompt that was cut',
    '/v1/completions',
    { ...body, prompt: 'One. Two. Three. Four.', optimize_prompt: { max_tokens: 12 } },
  ],
];

for (const [what, path, wire, prompts = 1] of requests) {
  test(`${what}: the hit says what was computed, whole and as a stream`, async () => {
    const first = await server.post(path, wire);
    assert.equal(statusOf(first), 'miss');
    const computed = await said(first);
    const again = await server.post(path, wire);
    assert.equal(statusOf(again), 'hit-l1');
    assert.equal(again.headers.get('x-sluice-cache-age'), '0');
    assert.equal(again.headers.get('x-sluice-cache-key'), first.headers.get('x-sluice-cache-key'));
    assert.equal(again.headers.get('x-sluice-trimmed'), first.headers.get('x-sluice-trimmed'));
    assert.deepEqual(await said(again), computed);

    const stream = (more: object) => server.post(path, { ...wire, ...more, stream: true });
    const hit = await stream({});
    assert.equal(statusOf(hit), 'hit-l1');
    const [cached, fresh] = [
      joinedStream(await sseEvents(hit)),
      joinedStream(await sseEvents(await stream({ cache: false }))),
    ];
    assert.deepEqual(cached, fresh);
    assert.equal(server.engine.requests.length, 2 * prompts);
  });
}

/** All text and log-probabilities of each choice of a stream, and how it ended. */
function joinedStream(events: unknown[]) {
  const choices = new Map<number, { text: string; logprobs: string[]; ends: (string | null)[] }>();
  assert.equal(events.at(-1), '[DONE]');
  for (const event of events.slice(0, -1) as { choices: Record<string, never>[] }[]) {
    for (const { index, text, delta, logprobs, finish_reason } of event.choices as unknown as {
      index: number;
      text?: string;
      delta?: { content?: string };
      logprobs: Record<string, unknown[]> | null;
      finish_reason: string | null;
    }[]) {
      const choice = choices.get(index) ?? { text: '', logprobs: [], ends: [] };
      choices.set(index, choice);
      choice.text += text ?? delta?.content ?? '';
      for (const [name, values] of Object.entries(logprobs ?? {}))
        for (const value of values) choice.logprobs.push(`${name}: ${JSON.stringify(value)}`);
      if (finish_reason) choice.ends.push(finish_reason);
    }
  }
  for (const choice of choices.values()) choice.logprobs.sort();
  return Object.fromEntries(choices);
}

test('usage and the last chunk of a stream say that the answer was cached', async () => {
  await ask();
  const { usage } = (await (await ask()).json()) as Answer;
  assert.deepEqual(usage, {
    prompt_tokens: 4,
    completion_tokens: 12,
    total_tokens: 16,
    prompt_tokens_details: { cached_tokens: 4 },
    cache: 'hit-l1',
  });
  const events = await sseEvents(await ask({ stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual((events.at(-2) as Answer).usage, usage);
});

test('tool calls come again as they were', async () => {
  using tools = await startTestServer({ reply: () => '<think>hm</think>CALL get {"a": 1}' });
  const wire = {
    messages: [{ role: 'user', content: 'x' }],
    temperature: 0,
    tools: [{ type: 'function', function: { name: 'get', parameters: {} } }],
  };
  const computed = await said(await tools.post('/v1/chat/completions', { ...wire, stream: false }));
  const again = await tools.post('/v1/chat/completions', wire);
  assert.equal(statusOf(again), 'hit-l1');
  assert.deepEqual(await said(again), computed);
});

test('an alias is the same model; a route says how its answer came about', async () => {
  await ask();
  assert.equal(statusOf(await ask({ model: 'fast' })), 'hit-l1');
  const hit = await ask({ model: 'auto' });
  assert.equal(statusOf(hit), 'hit-l1');
  assert.deepEqual(((await hit.json()) as { sluice: object }).sluice, {
    model: 'stub',
    route: 'auto',
    variant: null,
    cost_dollars: 0,
    quality: null,
    steps: [{ model: 'stub', outcome: 'cached', cost_dollars: 0, quality: null }],
  });
  assert.equal(hit.headers.get('x-sluice-model'), 'stub');
});

test('an upstream is asked once, where the request makes its answer certain', async () => {
  await using upstream = await StubUpstream.start(says('Hello there'));
  const models = [{ id: 'far', upstream: { url: upstream.url } }];
  using gateway = await startTestServer({ withoutEngine: true, settings: { 'routing.models': models } });
  const chat = (more: object) =>
    gateway.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }], ...more });
  await chat({});
  assert.equal(statusOf(await chat({})), null, 'its default temperature is unknown');
  const computed = await said(await chat({ temperature: 0 }));
  const hit = await chat({ temperature: 0 });
  assert.equal(statusOf(hit), 'hit-l1');
  assert.deepEqual(await said(hit), computed);
  assert.equal(upstream.calls.length, 3);
});

test('50 at once are computed once, streams and whole answers each', async () => {
  const responses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => ask({ max_tokens: 60, stream: index % 2 === 0 })),
  );
  const texts = await Promise.all(
    responses.map(async (response, index) =>
      index % 2 === 0
        ? joinedStream(await sseEvents(response))[0]!.text
        : ((await response.json()) as Answer).choices[0]!.text,
    ),
  );
  assert.deepEqual(new Set(texts), new Set(['abc'.repeat(20)]));
  assert.equal(server.engine.requests.length, 2);
  const statuses = responses.map(statusOf);
  assert.equal(statuses.filter((status) => status === 'miss').length, 2);
  assert.ok(statuses.every((status) => status === 'miss' || status === 'hit-flight'));
});

test('a leader that hangs up does not end the answer of who follows', async () => {
  const hangUp = new AbortController();
  const long = { max_tokens: 300, stream: true };
  const leader = await server.post('/v1/completions', { ...body, ...long }, { signal: hangUp.signal });
  await leader.body!.getReader().read();
  const follower = await ask(long);
  assert.equal(statusOf(follower), 'hit-flight');
  hangUp.abort();
  assert.equal(joinedStream(await sseEvents(follower))[0]!.text, 'abc'.repeat(100));
  assert.deepEqual(server.engine.cancelled, []);
  assert.equal(statusOf(await ask(long)), 'hit-l1');
});

test('cache-control and cache: a new answer, none kept, fresh enough, or nothing else', async () => {
  const control = async (directive: string) => {
    const response = await ask({}, { 'cache-control': directive });
    return [response.status, statusOf(response)];
  };
  assert.deepEqual(await control('only-if-cached'), [504, null]);
  assert.deepEqual(await control('no-store'), [200, null]);
  assert.deepEqual(await control('no-cache'), [200, 'miss']);
  assert.deepEqual(await control('only-if-cached'), [200, 'hit-l1']);
  assert.deepEqual(await control('max-age=60'), [200, 'hit-l1']);
  assert.deepEqual(await control('No-Cache, max-age=60'), [200, 'miss']);
  const sampled = { temperature: 1 };
  await ask(sampled);
  assert.equal(statusOf(await ask(sampled)), null);
  await ask({ ...sampled, cache: true });
  assert.equal(statusOf(await ask({ ...sampled, cache: true })), 'hit-l1');
  assert.equal(statusOf(await ask({ cache: false })), null);
});

const connect = () =>
  SluiceClient.connect(server.url, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });

test('a WebSocket is told and heard the same, and a cancelled leader leaves its followers alone', async () => {
  const client = await connect();
  const first = client.complete(body);
  const text = await first.text();
  const miss = await first.done;
  assert.equal(miss.cache!.status, 'miss');
  const second = client.complete(body);
  assert.equal(await second.text(), text);
  const hit = await second.done;
  assert.deepEqual(hit.cache, { status: 'hit-l1', key: miss.cache!.key, age: 0 });
  assert.equal(hit.usage.cache, 'hit-l1');
  const fresh = client.complete(body, { cacheControl: 'no-cache' });
  assert.equal((await fresh.done).cache!.status, 'miss');

  const long = { ...body, max_tokens: 300 };
  const leader = client.complete(long);
  await eventually(() => server.engine.running === 1);
  const follower = client.complete(long);
  for await (const _ of follower) break; // leaving the loop cancels it
  assert.equal((await follower.done).choices[0]!.finish_reason, 'cancelled');
  const other = client.complete(long);
  for await (const _ of other) {
    leader.cancel();
    assert.equal((await leader.done).choices[0]!.finish_reason, 'cancelled');
    break;
  }
  client.close();
  await eventually(() => server.engine.running === 0);
});

test('a purge by key, model, tenant or beginning of the prompt, and what the cache holds', async () => {
  const stats = async () => {
    const { levels } = (await (await fetch(`${server.url}/admin/cache`)).json()) as {
      levels: { level: string; entries: number; bytes: number }[];
    };
    return levels.map(({ level, entries }) => `${level}: ${entries}`).join();
  };
  const key = (await ask({ prompt: 'one' })).headers.get('x-sluice-cache-key')!;
  await ask({ prompt: 'two' });
  await ask({ prompt: 'twofold' });
  await eventually(async () => (await stats()) === 'l1: 3,l2: 3');
  assert.deepEqual(await purge({ key: key.slice(0, 12) }), { l1: 1, l2: 1 });
  assert.deepEqual(await purge({ prompt_prefix: 'two', tenant: 'default', model: 'other' }), {
    l1: 0,
    l2: 0,
  });
  assert.deepEqual(await purge({ prompt_prefix: 'two', tenant: 'default', model: 'stub' }), { l1: 2, l2: 2 });
  assert.equal(await stats(), 'l1: 0,l2: 0');
  const refused = await server.post('/admin/cache/purge', {});
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /expected tenant, model, key or prompt_prefix/);
});

test('sluice cache works on the data folder, and the server follows', async () => {
  const sluice = async (...args: string[]) => {
    const command = [join(projectRoot(), 'bin/sluice'), 'cache', ...args, '--data', folder];
    return (await promisify(execFile)(process.execPath, command)).stdout;
  };
  await ask();
  assert.match(await sluice('stats'), /^ANSWERS +BYTES\n1 +\d+\n$/);
  assert.equal(await sluice('purge', '--model', 'other'), '0 answers dropped\n');
  assert.equal(await sluice('purge', '--prompt-prefix', 'ab'), '1 answers dropped\n');
  assert.equal(JSON.parse(await sluice('stats', '--json')).entries, 0);
  await eventually(async () => statusOf(await ask({}, { 'cache-control': 'only-if-cached' })) === null);
  await assert.rejects(sluice('purge'), /Say which: --tenant/);
});

test('metrics count hits by level, and misses', async () => {
  const read = async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? 0);
    return [
      value('llm_cache_hits_total{cache_level="l1"}'),
      value('llm_cache_misses_total'),
      value('sluice_cache_entries{cache_level="l1"}'),
    ];
  };
  const [hits, misses] = await read();
  await ask();
  await ask();
  await ask();
  assert.deepEqual(await read(), [hits! + 2, misses! + 1, 1]);
});
