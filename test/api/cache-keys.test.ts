import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openCacheDatabase } from '../../src/cache/disk/database.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** Whose cached answers are, what they cost, and what outlives the process. */

const root = mkdtempSync(join(tmpdir(), 'sluice-cache-keys-'));
let server: TestServer;
let admin: string;
before(async () => {
  server = await startTestServer({
    dataFolder: join(root, 'keys'),
    settings: {
      'cost.localPrice': { input: 1000, output: 1000 }, // $0.001 a token
      'guards.profiles': { strict: {} },
    },
  });
  admin = (await make({ name: 'root', admin: true })).key;
});
after(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

async function make(fields: object): Promise<{ id: string; key: string }> {
  const response = await server.post('/admin/keys', fields, admin === undefined ? {} : bearer(admin));
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as { id: string; key: string };
}

const ask = (key: string, more: object = {}) =>
  server.post('/v1/completions', { prompt: 'abc', max_tokens: 4, temperature: 0, ...more }, bearer(key));
const statusOf = (response: Response) => response.headers.get('x-sluice-cache');

async function ledgerOf(id: string) {
  const response = await fetch(`${server.url}/admin/usage?by=key,cache`, bearer(admin));
  const { data } = (await response.json()) as { data: Record<string, string | number | null>[] };
  return data
    .filter(({ key }) => key === id)
    .map(({ cache, requests, input_tokens, output_tokens, cost }) => ({
      cache,
      requests,
      input_tokens,
      output_tokens,
      cost,
    }));
}

test('organisations never share an answer; teams and users of one do', async () => {
  const a = await make({ name: 'a', organisation: 'acme', team: 'x', user: 'u' });
  const b = await make({ name: 'b', organisation: 'acme', team: 'y' });
  const c = await make({ name: 'c', organisation: 'other' });
  assert.equal(statusOf(await ask(a.key)), 'miss');
  assert.equal(statusOf(await ask(b.key)), 'hit-l1');
  assert.equal(statusOf(await ask(c.key)), 'miss');
  const both = await Promise.all([ask(a.key, { prompt: 'at once' }), ask(c.key, { prompt: 'at once' })]);
  assert.deepEqual(both.map(statusOf), ['miss', 'miss']);
});

test('keys of different guard profiles share nothing', async () => {
  const strict = await make({ name: 's', organisation: 'guarded', guard_profile: 'strict' });
  const lax = await make({ name: 'l', organisation: 'guarded' });
  await ask(lax.key);
  assert.equal(statusOf(await ask(strict.key)), 'miss');
});

test('a hit is a request against the limits, but takes no tokens and costs nothing; the ledger tells its level', async () => {
  const { id, key } = await make({ name: 'p', organisation: 'paying', rpm: 3, budget: 0.01 });
  const costs = [];
  for (let index = 0; index < 3; index += 1) {
    const { usage } = (await (await ask(key)).json()) as { usage: { cost: number } };
    costs.push(usage.cost);
  }
  assert.deepEqual(costs, [0.008, 0, 0]);
  assert.equal((await ask(key)).status, 429);
  assert.deepEqual(await ledgerOf(id), [
    { cache: null, requests: 1, input_tokens: 4, output_tokens: 4, cost: 0.008 },
    { cache: 'l1', requests: 2, input_tokens: 0, output_tokens: 0, cost: 0 },
  ]);
});

test('a spent budget still gives what is cached', async () => {
  const { key } = await make({ name: 'q', organisation: 'spent', budget: 0.009 });
  await ask(key);
  assert.equal((await ask(key, { prompt: 'new' })).status, 402);
  assert.equal(statusOf(await ask(key)), 'hit-l1');
});

async function runningOf(id: string): Promise<number> {
  const standings = await server.tenancy!.office!.books.standings();
  return standings.find(({ scope }) => scope === `key:${id}`)?.running ?? 0;
}

test("who asked first pays for all who follow; that its budget has no room is not the followers' failure", async () => {
  // Enough for the answer; that the prompt is too much shows when it has been tokenised.
  const poor = await make({ name: 'poor', organisation: 'mixed', budget: 0.006 });
  const rich = await make({ name: 'rich', organisation: 'mixed' });
  let open = () => {};
  server.text.gate = new Promise((resolve) => {
    open = resolve;
  });
  const leader = ask(poor.key);
  await eventually(async () => (await runningOf(poor.id)) === 1);
  const followers = [ask(rich.key), ask(rich.key)];
  await eventually(async () => (await runningOf(rich.id)) === 2);
  open();
  server.text.gate = null;
  assert.equal((await leader).status, 402);
  assert.deepEqual((await Promise.all(followers)).map(statusOf), ['miss', 'hit-flight']);
  assert.deepEqual(await ledgerOf(poor.id), [
    { cache: null, requests: 1, input_tokens: 0, output_tokens: 0, cost: 0 },
  ]);
  assert.deepEqual(await ledgerOf(rich.id), [
    { cache: null, requests: 1, input_tokens: 4, output_tokens: 4, cost: 0.008 },
    { cache: 'flight', requests: 1, input_tokens: 0, output_tokens: 0, cost: 0 },
  ]);
});

test('a leader that hangs up pays for what is computed for its followers', async () => {
  const first = await make({ name: 'first', organisation: 'leaving' });
  const second = await make({ name: 'second', organisation: 'leaving' });
  const hangUp = new AbortController();
  const long = { prompt: 'abc', temperature: 0, max_tokens: 800, stream: true };
  const leader = await server.post('/v1/completions', long, { ...bearer(first.key), signal: hangUp.signal });
  await leader.body!.getReader().read();
  const follower = await ask(second.key, long);
  hangUp.abort();
  await follower.text();
  assert.deepEqual(await ledgerOf(first.id), [
    { cache: null, requests: 1, input_tokens: 4, output_tokens: 800, cost: 0.804 },
  ]);
  assert.deepEqual(await ledgerOf(second.id), [
    { cache: 'flight', requests: 1, input_tokens: 0, output_tokens: 0, cost: 0 },
  ]);
});

const program = fileURLToPath(new URL('../support/stub-process.js', import.meta.url));

async function startProcess(dataFolder: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [program, JSON.stringify({ dataFolder, settings: { 'cache.diskTimeoutMs': 10_000 } })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [port] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, url: `http://127.0.0.1:${String(port).trim()}` };
}

test('a server that was killed has its answers again when it is back', async () => {
  const dataFolder = join(root, 'killed');
  const post = (url: string) =>
    fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'abc', max_tokens: 4, temperature: 0, logprobs: 1 }),
    });
  const before = await startProcess(dataFolder);
  const computed = (await (await post(before.url)).json()) as { choices: object };
  const cache = openCacheDatabase(dataFolder);
  await eventually(() => cache.stats().entries === 1);
  cache.close();
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');

  const again = await startProcess(dataFolder);
  try {
    const hit = await post(again.url);
    assert.equal(statusOf(hit), 'hit-l2');
    assert.deepEqual(((await hit.json()) as { choices: object }).choices, computed.choices);
    assert.equal(statusOf(await post(again.url)), 'hit-l1');
  } finally {
    again.child.kill('SIGKILL');
    await once(again.child, 'exit');
  }
});
