import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { DiskLevel } from '../../src/cache/disk/disk-level.js';
import { RedisLevel } from '../../src/cache/redis/redis-level.js';
import { selects } from '../../src/cache/selector.js';
import type { LowerLevel, PurgeSelector } from '../../src/cache/types.js';
import { connectRedis } from '../../src/redis/link.js';
import { entryOf, questionOf } from '../support/cache-entries.js';
import { clusterConfig } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

/** What every second level does, whatever it keeps its answers in. */

let redis: RedisServer;
before(async () => {
  redis = await startRedis({ cluster: true });
});
after(() => redis.close());

type Open = (nowMs?: () => number) => Promise<LowerLevel>;
const bounds = { maxEntries: 1_600, maxBytes: 2 ** 24 };
let deployments = 0;

/** Where to open levels that share what they keep. */
const places: Record<string, (t: TestContext) => Open> = {
  'data folder': (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-level-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const onFault = (error: unknown) => assert.fail(String(error));
    return async (nowMs = Date.now) => await opened(t, DiskLevel.open({ directory, bounds, nowMs, onFault }));
  },
  Redis: (t) => {
    const settings = { 'redis.keyPrefix': `d${deployments++}`, 'redis.isCluster': true };
    return async (nowMs = Date.now) => {
      const link = await connectRedis(clusterConfig(redis, settings).redis);
      t.after(() => link.close());
      return await opened(t, RedisLevel.open(link, { bounds, nowMs }));
    };
  },
};

async function opened(t: TestContext, opening: Promise<LowerLevel>): Promise<LowerLevel> {
  const level = await opening;
  t.after(() => level.close());
  return level;
}

const lasting = { storedAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 };

for (const [place, placeFor] of Object.entries(places)) {
  test(`${place}: an entry comes back as it was, also to another process, until its time`, async (t) => {
    const open = placeFor(t);
    const [level, other] = [await open(), await open()];
    const [nowMs, lifeMs] = [Date.now(), 1_500];
    const entry = entryOf('ab', { storedAtMs: nowMs, expiresAtMs: nowMs + lifeMs });
    await level.put(entry, questionOf('ab'));
    const found = await other.find(questionOf('ab'));
    assert.deepEqual(found?.answer, entry.answer);
    const { tenant, model, promptHead, bytes, similarity } = entry;
    assert.deepEqual(
      { ...found, ...lasting, answer: null },
      {
        key: 'ab',
        tenant,
        model,
        promptHead,
        bytes,
        similarity,
        ...lasting,
        answer: null,
      },
    );
    assert.ok(Math.abs(found!.expiresAtMs - found!.storedAtMs - lifeMs) <= 1);
    assert.equal(await other.find(questionOf('abc')), null);
    await eventually(async () => (await other.find(questionOf('ab'))) === null);
    assert.ok(Date.now() >= nowMs + lifeMs);
  });

  test(`${place}: a large answer comes back whole`, async (t) => {
    const level = await placeFor(t)();
    const text = 'naïve 🙂 '.repeat(20_000);
    const { answer } = entryOf('c');
    const events = answer.events.map((event) => (event.type === 'delta' ? { ...event, text } : event));
    const entry = entryOf('c', { ...lasting, answer: { ...answer, events } });
    await level.put(entry, questionOf('c'));
    assert.deepEqual((await level.find(questionOf('c')))?.answer, entry.answer);
  });

  test(`${place}: a purge drops exactly what the same selector drops from memory, and is told to the others once`, async (t) => {
    const open = placeFor(t);
    const [level, other] = [await open(), await open()];
    const heard: PurgeSelector[] = [];
    other.onPurge((selector) => heard.push(selector));
    level.onPurge(() => assert.fail('of its own'));
    const name = fc.constantFrom('a', 'ab', 'b', '%', 'A_', '');
    const key = fc.constantFrom('a', 'ab', 'b1', 'b12', 'c');
    const stored = fc.uniqueArray(fc.record({ tenant: name, model: name, key, promptHead: name }), {
      selector: (entry) => entry.key,
      maxLength: 5,
    });
    const selector: fc.Arbitrary<PurgeSelector> = fc.record(
      { tenant: name, model: name, key, promptPrefix: name },
      { requiredKeys: [] },
    );
    const purges: PurgeSelector[] = [];
    await fc.assert(
      fc.asyncProperty(stored, selector, async (entries, purged) => {
        await level.purge({});
        for (const entry of entries) await level.put(entryOf('', { ...lasting, ...entry }), questionOf('f'));
        const doomed = entries.filter((entry) => selects(purged, entry));
        assert.equal(await level.purge(purged), doomed.length);
        purges.push({}, purged);
        for (const entry of entries)
          assert.equal((await other.find(questionOf(entry.key))) === null, doomed.includes(entry), entry.key);
      }),
      { numRuns: 12 },
    );
    await eventually(() => heard.length >= purges.length);
    const plain = (all: PurgeSelector[]) => JSON.parse(JSON.stringify(all));
    assert.deepEqual(plain(heard), plain(purges));
  });

  test(`${place}: sizes are counted, and go with what goes`, async (t) => {
    const level = await placeFor(t)();
    for (const key of ['a', 'b', 'b']) await level.put(entryOf(key, lasting), questionOf(key));
    const { entries, bytes } = await level.stats();
    assert.equal(entries, 2);
    assert.ok(bytes > 200);
    await level.purge({ key: 'a' });
    assert.deepEqual(await level.stats(), { entries: 1, bytes: bytes / 2 });
  });
}

async function redisLevel(t: TestContext, settings: object = {}) {
  const config = clusterConfig(redis, { 'redis.keyPrefix': `d${deployments++}`, 'redis.isCluster': true });
  const link = await connectRedis(config.redis);
  t.after(() => link.close());
  const level = await RedisLevel.open(link, { bounds, nowMs: Date.now, ...settings });
  t.after(() => level.close());
  return { level, link };
}

test('Redis: neither bound is exceeded; who was asked for last stays', async (t) => {
  const tick = () => new Promise((resolve) => setTimeout(resolve, 2));
  const keptOf = async (level: LowerLevel, keys: readonly string[]) => {
    const found = await Promise.all(keys.map((key) => level.find(questionOf(key))));
    return keys.filter((_, index) => found[index] !== null);
  };
  const put = async (level: LowerLevel, key: string) => {
    await level.put(entryOf(key, lasting), questionOf(key));
    await tick();
  };
  const { level: few } = await redisLevel(t, { bounds: { maxEntries: 3 * 16, maxBytes: 2 ** 24 } });
  for (const key of ['a1', 'a2', 'a3']) await put(few, key);
  assert.ok(await few.find(questionOf('a1')));
  await put(few, 'a4');
  assert.deepEqual(await keptOf(few, ['a1', 'a2', 'a3', 'a4']), ['a1', 'a3', 'a4']);
  const { entries, bytes } = await few.stats();
  assert.equal(entries, 3);

  const { level: small } = await redisLevel(t, {
    bounds: { maxEntries: 1_600, maxBytes: (16 * bytes * 2) / 3 },
  });
  for (const key of ['a1', 'a2', 'a3', 'b1']) await put(small, key);
  assert.deepEqual(await keptOf(small, ['a1', 'a2', 'a3', 'b1']), ['a2', 'a3', 'b1']);
  assert.deepEqual(await small.stats(), { entries: 3, bytes });
});

test('Redis: an answer that was begun before a purge is not kept after it', async (t) => {
  const { level } = await redisLevel(t);
  const [before, later] = [questionOf('a'), questionOf('a')];
  assert.equal(await level.find(before), null);
  await level.purge({ tenant: 'somebody' });
  assert.equal(await level.find(later), null);
  await level.put(entryOf('a', lasting), before);
  assert.equal(await level.find(questionOf('a')), null);
  await level.put(entryOf('a', lasting), later);
  assert.ok(await level.find(questionOf('a')));
});

test('Redis: after a flush nothing in memory is trusted', async (t) => {
  const { level } = await redisLevel(t);
  const heard: PurgeSelector[] = [];
  level.onPurge((selector) => heard.push(selector));
  await level.purge({ tenant: 'x' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  redis.cli('FLUSHALL');
  await eventually(() => heard.length > 0);
  assert.deepEqual(heard, [{}]);
});
