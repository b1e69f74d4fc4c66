import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** A key's profile, the ledger and the audit. */

const folder = mkdtempSync(join(tmpdir(), 'sluice-guards-'));
const auditFile = join(folder, 'audit.jsonl');
let server: TestServer;
let admin: string;

before(async () => {
  server = await startTestServer({
    dataFolder: folder,
    settings: {
      'guards.auditFile': auditFile,
      'guards.profiles': {
        strict: { input: [{ guard: 'pii', mode: 'block', categories: ['credit_card'] }] },
      },
    },
  });
  admin = await makeKey({ name: 'root', admin: true });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

async function makeKey(fields: object): Promise<string> {
  const response = await server.post('/admin/keys', fields, admin === undefined ? {} : bearer(admin));
  return ((await response.json()) as { key: string }).key;
}

const ask = (key: string, more: object = {}) =>
  server.post('/v1/completions', { prompt: 'card 4111 1111 1111 1111', max_tokens: 2, ...more }, bearer(key));

test("a key's profile holds whatever the request says, and a key without one has everybody's", async () => {
  const guarded = await makeKey({ name: 'guarded', guard_profile: 'strict' });
  const free = await makeKey({ name: 'free' });
  assert.equal((await ask(guarded)).status, 400);
  assert.equal((await ask(guarded, { guards: 'off' })).status, 400);
  assert.equal((await ask(free)).status, 200);
  assert.equal((await ask(free, { guards: 'strict' })).status, 400);
});

test('a key whose profile is not configured gets nothing', async () => {
  const key = await makeKey({ name: 'lost', guard_profile: 'gone' });
  const response = await ask(key);
  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as { error: { code: string } }).error.code, 'guard_failed');
});

test('the ledger has what guards did, and the audit which rule, where and by whom, without the text', async () => {
  const usage = await fetch(`${server.url}/admin/usage?by=request`, bearer(admin));
  const { data } = (await usage.json()) as { data: { guard: string | null; finish: string }[] };
  assert.ok(
    data.some(({ guard }) => guard === 'block:input:pii/credit_card'),
    JSON.stringify(data),
  );
  await eventually(() => readFileSync(auditFile, 'utf8').includes('credit_card'));
  const lines = readFileSync(auditFile, 'utf8').trim();
  const first = JSON.parse(lines.split('\n')[0]!) as Record<string, unknown>;
  assert.deepEqual(first.span, [5, 24]);
  assert.match(String(first.sha256), /^[0-9a-f]{64}$/);
  assert.ok(!lines.includes('4111'));
});
