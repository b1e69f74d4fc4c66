import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  JournalWriter,
  type KeyRecord,
  type LedgerEntry,
  noLimits,
  openDatabase,
  openStore,
} from '../../src/store/index.js';

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'sluice-store-'));
  folders.push(made);
  return made;
};
after(() => {
  for (const each of folders) rmSync(each, { recursive: true });
});

/** A store, and the way of a server's entries into it. */
function openLedger() {
  const directory = folder();
  const store = openDatabase(directory);
  const journal = new JournalWriter(directory, store.nextJournalNumber());
  return { store, append: (entries: LedgerEntry[]) => journal.append(entries) };
}

const key = (id: string): KeyRecord => ({
  id,
  name: 'app',
  hash: 'ab'.repeat(32),
  previousHash: null,
  previousUntilMs: null,
  organisation: 'acme',
  team: 'search',
  user: null,
  isAdmin: true,
  models: ['a', 'b'],
  guardProfile: null,
  createdAtMs: 1,
  expiresAtMs: 2,
  revokedAtMs: null,
});

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 25, 12);
let nextId = 0;
const entry = (fields: Partial<LedgerEntry> = {}): LedgerEntry => ({
  id: `r${nextId++}`,
  admittedAtMs: NOW,
  keyId: 'k',
  organisation: 'acme',
  team: 'search',
  user: null,
  model: 'm',
  inputTokens: 10,
  outputTokens: 5,
  cachedTokens: 2,
  nanodollars: 1_000,
  priceSource: 'local',
  latencyMs: 20,
  cacheLevel: null,
  guardResult: null,
  finishReason: 'stop',
  ...fields,
});

test('what one connection writes of keys and limits another sees as what is new', () => {
  const directory = folder();
  const [server, command] = [openDatabase(directory), openDatabase(directory)];
  const budget = { nanodollars: 2 ** 52, period: 'week' as const };
  command.createKey(key('one'), { ...noLimits, tokensPerDay: 7, budget });
  const first = server.changesSince(0);
  assert.deepEqual(first.keys, [key('one')]);
  assert.deepEqual(first.limits, [{ scope: 'key:one', limits: { ...noLimits, tokensPerDay: 7, budget } }]);
  assert.deepEqual(server.changesSince(first.revision), { revision: first.revision, keys: [], limits: [] });
  command.setLimits({ scope: 'team:acme/search', limits: noLimits });
  command.revokeKey('one', 99);
  const second = server.changesSince(first.revision);
  assert.deepEqual(second.keys, [{ ...key('one'), revokedAtMs: 99 }]);
  assert.deepEqual(second.limits, [{ scope: 'team:acme/search', limits: noLimits }]);
  assert.equal(command.revokeKey('one', 200).revokedAtMs, 99, 'since the first time');
  server.close();
  command.close();
});

test('what is not there is said, and changes nothing', () => {
  const store = openDatabase(folder());
  store.createKey(key('one'), noLimits);
  store.revokeKey('one', 5);
  const { revision } = store.changesSince(0);
  assert.throws(() => store.revokeKey('two', 1), { code: 'not_found' });
  assert.throws(() => store.rotateKey('one', 'cd', 1), { code: 'not_found' });
  assert.throws(() => store.setLimits({ scope: 'key:two', limits: noLimits }), { code: 'not_found' });
  assert.equal(store.changesSince(0).revision, revision);
  store.close();
});

test('totals add up what the ledger has, by scope and period', () => {
  const { store, append } = openLedger();
  append([
    entry(),
    entry({ team: null, user: 'ada' }),
    entry({ admittedAtMs: NOW - DAY }), // Tuesday of the same week
    entry({ admittedAtMs: NOW - 10 * DAY }), // the same month
    entry({ admittedAtMs: NOW - 40 * DAY }),
  ]);
  const start = Date.UTC(2026, 10, 25);
  const totals = store.totals({ dayMs: start, weekMs: start - 2 * DAY, monthMs: Date.UTC(2026, 10, 1) });
  const of = (scope: string) => totals.find((each) => each.scope === scope);
  const { scope: _, ...organisation } = of('organisation:acme')!;
  assert.deepEqual(
    { ...organisation },
    {
      requestsOfDay: 2,
      tokensOfDay: 30,
      nanodollarsOfDay: 2_000,
      nanodollarsOfWeek: 3_000,
      nanodollarsOfMonth: 4_000,
    },
  );
  assert.equal(of('team:acme/search')!.nanodollarsOfMonth, 3_000);
  assert.equal(of('user:acme/ada')!.requestsOfDay, 1);
  const recent = store.recentUse(NOW - 1_000).filter(({ scope }) => scope === 'key:k');
  assert.deepEqual(
    recent.reduce((sum, { requests }) => sum + requests, 0),
    2,
  );
  store.close();
});

test('usage is grouped as asked, dearest first; requests come newest first', () => {
  const { store, append } = openLedger();
  append([
    entry({ model: 'small' }),
    entry({ model: 'small', admittedAtMs: NOW - DAY }),
    entry({ model: 'large', nanodollars: 9_000, latencyMs: 41 }),
  ]);
  const query = { sinceMs: 0, untilMs: NOW + 1, maxRows: 10 };
  const rows = store.usage({ by: ['model', 'day'], ...query });
  assert.deepEqual(
    rows.map(({ group, requests, nanodollars }) => ({ ...group, requests, nanodollars })),
    [
      { model: 'large', day: '2026-11-25', requests: 1, nanodollars: 9_000 },
      { model: 'small', day: '2026-11-24', requests: 1, nanodollars: 1_000 },
      { model: 'small', day: '2026-11-25', requests: 1, nanodollars: 1_000 },
    ].sort((a, b) => b.nanodollars - a.nanodollars),
  );
  assert.equal(store.usage({ by: [], ...query, sinceMs: NOW })[0]!.requests, 2);
  assert.equal(store.usage({ by: ['key'], ...query, sinceMs: NOW + 1 }).length, 0);
  const requests = store.requests({ ...query, maxRows: 2 });
  assert.deepEqual(
    requests.map(({ admittedAtMs }) => admittedAtMs),
    [NOW, NOW],
  );
  store.close();
});

test('a request is reported with what its own tenant said of it', () => {
  const { store, append } = openLedger();
  append([entry({ id: 'rated' }), entry({ id: 'other' })]);
  const said = { keyId: 'k', atMs: NOW, correction: 'Paris', comment: null };
  const { organisation } = entry();
  store.saveFeedback({ ...said, requestId: 'rated', tenant: organisation, rating: 0 });
  store.saveFeedback({ ...said, requestId: 'other', tenant: 'another', rating: 1 });
  const requests = store.requests({ sinceMs: 0, untilMs: NOW + 1, maxRows: 10 });
  assert.deepEqual(requests.map(({ id, rating, correction }) => [id, rating, correction]).sort(), [
    ['other', null, null],
    ['rated', 0, 'Paris'],
  ]);
  store.close();
});

test('old rows go, in steps', () => {
  const { store, append } = openLedger();
  append(Array.from({ length: 5_001 }, () => entry({ admittedAtMs: NOW - 100 * DAY })));
  append([entry()]);
  store.applyJournal();
  assert.ok(store.pruneLedger(NOW - 50 * DAY));
  assert.ok(!store.pruneLedger(NOW - 50 * DAY));
  assert.equal(store.usage({ by: [], sinceMs: 0, untilMs: NOW + 1, maxRows: 1 })[0]!.requests, 1);
  assert.equal(store.totals({ dayMs: 0, weekMs: 0, monthMs: 0 })[0]!.requestsOfDay, 1);
  store.close();
});

test('an alert is recorded once a period and kept until it is delivered', () => {
  const store = openDatabase(folder());
  const alert = { scope: 'key:k', period: 'day' as const, periodStartMs: NOW, percent: 50, body: '{}' };
  assert.ok(store.recordAlert(alert));
  assert.ok(!store.recordAlert(alert));
  assert.ok(store.recordAlert({ ...alert, percent: 80 }));
  store.alertDelivered(alert, NOW);
  assert.deepEqual(store.undeliveredAlerts(0, 10), [{ ...alert, percent: 80 }]);
  assert.deepEqual(store.undeliveredAlerts(NOW + 1, 10), []);
  store.close();
});

test('one server at a time has a data folder, while commands may use it', async () => {
  const directory = folder();
  const store = await openStore(directory);
  assert.equal(await store.lockForServer(), true);
  const script = `
    import { openDatabase } from ${JSON.stringify(new URL('../../src/store/index.js', import.meta.url).href)};
    const store = openDatabase(${JSON.stringify(directory)});
    console.log(store.lockForServer(), store.changesSince(0).keys.length);
    process.kill(process.pid, 'SIGKILL');
  `;
  const child = () => {
    try {
      return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };
  assert.equal(child(), 'false 0\n');
  await store.close();
  assert.equal(child(), 'true 0\n');
  assert.equal(child(), 'true 0\n', 'it ended with the process that held it, though that was killed');
});

test('errors of the worker keep their code; a worker that is gone refuses', async () => {
  const store = await openStore(folder());
  await assert.rejects(store.revokeKey('none', 1), { code: 'not_found' });
  await store.close();
  await assert.rejects(store.changesSince(0), { code: 'store_unavailable' });
});

test('a folder that cannot be used is said at once', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  await assert.rejects(openStore(file), { code: 'store_unavailable' });
  const newer = folder();
  const store = openDatabase(newer);
  store.close();
  const script = `
    import Libsql from 'libsql';
    new Libsql(${JSON.stringify(join(newer, 'sluice.db'))}).exec('PRAGMA user_version = 99');
  `;
  execFileSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.throws(() => openDatabase(newer), /version 99/);
});
