import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { projectRoot } from '../../src/support/root.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** `sluice keys`, `budgets` and `usage` beside a running server. */

const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-cli-'));
let server: TestServer;
before(async () => {
  server = await startTestServer({
    dataFolder: folder,
    settings: { 'cost.localPrice': { input: 1000, output: 1000 } },
  });
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function sluice(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = join(projectRoot(), 'bin/sluice');
  const env = { ...process.env, SLUICE_DATA_DIR: folder };
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sluice(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

const ask = (key: string) =>
  server.post(
    '/v1/completions',
    { prompt: 'abc', max_tokens: 1 },
    { headers: { authorization: `Bearer ${key}` } },
  );

test('create prints the key; a running server knows it at once, and its revocation soon', async () => {
  const anonymous = () => server.post('/v1/completions', { prompt: 'abc', max_tokens: 1 });
  assert.equal((await anonymous()).status, 200);
  const created = JSON.parse(
    await done(
      'keys',
      'create',
      '--name',
      'app',
      '--rpm',
      '5',
      '--tpm',
      '20000',
      '--budget',
      '1.5',
      '--json',
    ),
  ) as { id: string; key: string; limits: Record<string, unknown> };
  assert.deepEqual(created.limits, {
    rpm: 5,
    tpm: 20000,
    rpd: null,
    tpd: null,
    concurrency: null,
    budget: 1.5,
    period: 'month',
  });
  assert.equal((await ask(created.key)).status, 200);
  assert.equal((await anonymous()).status, 401);
  const [, , ...rows] = (await done('keys', 'list')).split('\n');
  assert.deepEqual(rows, ['']);
  const rotated = (await done('keys', 'rotate', created.id, '--grace', '1h')).trim();
  assert.deepEqual([(await ask(rotated)).status, (await ask(created.key)).status], [200, 200]);
  assert.match(await done('keys', 'revoke', created.id), /^Revoked [0-9a-f]{16} \(app\)/);
  await eventually(async () => (await ask(rotated)).status === 401);
  assert.match(await done('keys', 'list'), /revoked +5 rpm, 20000 tpm, \$1\.50 a month/);
});

test('a key that expires is listed with when', async () => {
  await done('keys', 'create', '--name', 'brief', '--expires', '2999-01-31T12:30:00Z');
  assert.match(await done('keys', 'list'), / brief +default +good until 2999-01-31T12:30Z /);
});

test('limits of a team are set, and hold', async () => {
  const key = (
    await done('keys', 'create', '--name', 'a', '--org', 'acme', '--team', 'search', '--budget', 'none')
  ).trim();
  const set = await done(
    'budgets',
    'set',
    'team:acme/search',
    '--rpd',
    '1',
    '--budget',
    '7',
    '--period',
    'week',
  );
  assert.equal(set, 'team:acme/search: 1 rpd, $7.00 a week\n');
  await ask(key);
  await eventually(async () => (await ask(key)).status === 429);
  assert.equal(
    await done('budgets', 'set', 'team:acme/search', '--rpd', 'none'),
    'team:acme/search: $7.00 a week\n',
  );
  assert.match(await done('budgets', 'list'), /^team:acme\/search +\$7\.00 a week +\$0\.\d/m);
});

test('usage is a table, CSV or JSON', async () => {
  assert.match(await done('usage', '--by', 'organisation,model'), /^acme +stub +\d+ +\d+ /m);
  assert.match(await done('usage', '--by', 'team', '--csv'), /^team,requests,.*\r\n/);
  const { data } = JSON.parse(await done('usage', '--by', 'request', '--limit', '1', '--json')) as {
    data: { model: string; finish: string }[];
  };
  assert.deepEqual(
    data.map(({ model, finish }) => [model, finish]),
    [['stub', 'length']],
  );
  assert.equal(await done('usage', '--until', '2000-01-01'), 'Nothing was used.\n');
});

test('what is wrong is named, without a stack', async () => {
  const cases: [string[], RegExp][] = [
    [['keys', 'create', '--name', 'a', '--rpm', 'many'], /^sluice: rpm: expected a number/],
    [
      ['keys', 'create', '--name', 'a', '--expires', 'soon'],
      /'soon' is invalid\. expected a time such as 2027/,
    ],
    [
      ['keys', 'create', '--name', 'a', '--expires', '9999999999d'],
      /'9999999999d' is invalid\. expected a time/,
    ],
    [
      ['keys', 'create', '--name', 'a', '--expires', '0s'],
      /^sluice: expires_at: expected a time in the future/,
    ],
    [['keys', 'create'], /required option '--name <text>'/],
    [['keys', 'revoke', 'nothing'], /^sluice: There is no key "nothing"/],
    [
      ['keys', 'rotate', '0123456789abcdef', '--grace', 'long'],
      /'long' is invalid\. expected a time such as 90s/,
    ],
    [['budgets', 'set', 'team:search'], /^sluice: scope: expected key:ID, organisation:NAME/],
    [['usage', '--by', 'keys'], /^sluice: by: there is no "keys"/],
    [['usage', '--since', 'yesterday'], /^sluice: since: expected a date or time/],
    [
      ['keys', 'list', '--data', join(projectRoot(), 'package.json')],
      /^sluice: The data folder can't be used/,
    ],
    [
      ['keys', 'create', '--name', 'a', '--data', '/proc/sluice'],
      /^sluice: The data folder can't be used .*mkdir '\/proc\/sluice'/,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await sluice(...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});
