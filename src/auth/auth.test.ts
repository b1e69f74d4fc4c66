import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DirectoryChange, type KeyRecord, noLimits } from '../store/types.js';
import { KeyAccess } from './access.js';
import { createKey, rotateKey } from './administration.js';
import { generateKey, idOfKey, matches } from './key.js';
import { KeyDirectory } from './key-directory.js';

/** Keys in memory; a look at them ends when the test lets it, if it holds them. */
class MemoryStore {
  readonly records = new Map<string, { record: KeyRecord; revision: number }>();
  revision = 0;
  looks = 0;
  held: (() => void)[] | null = null;
  isBroken = false;

  async changesSince(revision: number): Promise<DirectoryChange> {
    this.looks += 1;
    const keys = [...this.records.values()]
      .filter((each) => each.revision > revision)
      .map(({ record }) => record);
    const change = { revision: this.revision, keys, limits: [] };
    if (this.held) await new Promise<void>((resolve) => this.held!.push(resolve));
    if (this.isBroken) throw new Error('broken');
    return change;
  }

  put(record: KeyRecord): KeyRecord {
    this.revision += 1;
    this.records.set(record.id, { record, revision: this.revision });
    return record;
  }

  createKey = (record: KeyRecord) => void this.put(record);
  setLimits = () => undefined;
  limitsOf = () => noLimits;
  #change = (id: string, change: Partial<KeyRecord>) =>
    this.put({ ...this.records.get(id)!.record, ...change });
  revokeKey = (id: string, nowMs: number) => this.#change(id, { revokedAtMs: nowMs });
  rotateKey = (id: string, hash: string, previousUntilMs: number) => {
    return this.#change(id, { hash, previousHash: this.records.get(id)!.record.hash, previousUntilMs });
  };
}

const described = {
  name: 'app',
  organisation: 'acme',
  team: 'search',
  user: 'ada',
  isAdmin: false,
  models: ['small'],
  guardProfile: 'strict',
  expiresAtMs: null,
  limits: noLimits,
};

function world() {
  const store = new MemoryStore();
  const clock = { nowMs: 1_000_000 };
  const directory = new KeyDirectory(store, () => undefined);
  const access = new KeyAccess({
    directory,
    maxStalenessMs: 10_000,
    isLoopback: true,
    nowMs: () => clock.nowMs,
    onFault: (error) => {
      throw error;
    },
  });
  const make = async (fields: Partial<typeof described> = {}) =>
    createKey(store, { ...described, ...fields }, clock.nowMs);
  const enter = async (key: string) => access.authenticate(`Bearer ${key}`);
  return { store, clock, directory, access, make, enter };
}

test('keys hold 256 random bits behind their id, and only their hash is recorded', () => {
  const first = generateKey();
  assert.match(first.key, /^sk-sluice-[0-9a-f]{16}-[\w-]{43}$/);
  assert.notEqual(first.key, generateKey().key);
  assert.equal(idOfKey(first.key), first.id);
  assert.ok(!first.hash.includes(first.key.slice(-43)));
  for (const text of ['', 'sk-sluice-', `${first.key}x`, first.key.slice(1), 'sk-proj-abc']) {
    assert.equal(idOfKey(text), null, text);
  }
  assert.ok(!matches(first.key, undefined, 0));
});

test('a key that was made a moment ago is good at once, with all that it says', async () => {
  const { make, enter, access } = world();
  assert.ok(!access.needsKey);
  const { key, record } = await make();
  assert.deepEqual(await enter(key), {
    keyId: record.id,
    tenant: 'acme',
    team: 'search',
    user: 'ada',
    isAdmin: false,
    models: new Set(['small']),
    guardProfile: 'strict',
  });
  assert.ok(access.needsKey);
  assert.ok(!(access.authenticate(`bearer ${key}`) instanceof Promise), 'what is known needs no look');
});

test('without keys everyone comes in, whatever key they send; with keys nobody without one', async () => {
  const { make, enter, access } = world();
  for (const header of [undefined, 'Bearer none', 'Basic abc']) {
    assert.equal((await access.authenticate(header)).keyId, null);
  }
  const stranger = await access.authenticate(undefined);
  await enter((await make()).key);
  for (const header of [undefined, '', 'Bearer none', 'Basic abc', 'Bearer']) {
    assert.throws(() => access.authenticate(header), { code: 'invalid_api_key' });
  }
  assert.throws(() => access.current(stranger), { code: 'invalid_api_key' });
});

test('a wrong secret of a known id, a revoked and an expired key are refused', async () => {
  const { make, enter, store, clock, access, directory } = world();
  const { key, record } = await make();
  const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
  await assert.rejects(enter(wrong), { code: 'invalid_api_key' });
  const caller = await enter(key);
  const brief = await make({ expiresAtMs: clock.nowMs + 10 } as object);
  await enter(brief.key);
  clock.nowMs += 10;
  await assert.rejects(enter(brief.key), { code: 'invalid_api_key' });
  store.revokeKey(record.id, clock.nowMs);
  await directory.refresh();
  await assert.rejects(enter(key), { code: 'invalid_api_key' });
  assert.throws(() => access.current(caller), { code: 'invalid_api_key' });
  assert.ok(access.needsKey, 'the last key is gone, and the server stays closed');
});

test('after a rotation the key before is good for its grace, and no longer', async () => {
  const { make, enter, store, clock, directory } = world();
  const old = await make();
  const fresh = await rotateKey(store, old.record.id, 5_000, clock.nowMs);
  await directory.refresh();
  const ids = await Promise.all([old.key, fresh.key].map(async (key) => (await enter(key)).keyId));
  assert.deepEqual(ids, [old.record.id, old.record.id]);
  clock.nowMs += 5_000;
  await assert.rejects(enter(old.key), { code: 'invalid_api_key' });
  await enter(fresh.key);
});

test('however many unknown keys come, the store is asked once at a time', async () => {
  const { make, enter, store } = world();
  await make();
  store.held = [];
  const strangers = Array.from({ length: 500 }, () => enter(generateKey().key).catch(({ code }) => code));
  assert.equal(store.looks, 1);
  const late = await make(); // after the first look: the second finds it
  const entering = enter(late.key);
  while (store.held.length > 0 || store.looks < 2) {
    store.held.shift()?.();
    await new Promise(setImmediate);
  }
  assert.deepEqual(new Set(await Promise.all(strangers)), new Set(['invalid_api_key']));
  assert.equal((await entering).keyId, late.record.id);
  assert.equal(store.looks, 2);
});

test('without news of the store for long, keys are no longer believed', async () => {
  const { make, enter, store, clock, access } = world();
  const { key } = await make();
  const caller = await enter(key);
  store.isBroken = true;
  clock.nowMs += 10_000;
  await enter(key);
  clock.nowMs += 1;
  await assert.rejects(enter(key), { code: 'store_unavailable' });
  assert.throws(() => access.current(caller), { code: 'store_unavailable' });
  store.isBroken = false;
  await access.refresh();
  await enter(key);
});
