import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { SharedAnswers } from '../../src/cache/semantic/shared-answers.js';
import type { SimilarAnswers } from '../../src/cache/semantic/similar-answers.js';
import { StoredAnswers } from '../../src/cache/semantic/stored-answers.js';
import { connectRedis } from '../../src/redis/link.js';
import { entryOf } from '../support/cache-entries.js';
import { clusterConfig } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { startProxy } from '../support/proxy.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

/** What answers to similar questions do, whatever they are kept in. */

let redis: RedisServer;
before(async () => {
  redis = await startRedis({ cluster: true });
});
after(() => redis.close());

const bounds = { maxEntries: 20, maxBytes: 2 ** 20 };
let deployments = 0;

/** A vector at an angle, in degrees, from the first axis. */
function at(degrees: number): Float32Array {
  const angle = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
}

const asked = (text: string, degrees: number, scope = 's') => ({ scope, text, vector: at(degrees) });

function lasting(key: string, lifeMs = 60_000, more: object = {}) {
  const nowMs = Date.now();
  return entryOf(key, { storedAtMs: nowMs, expiresAtMs: nowMs + lifeMs, ...more });
}

async function shared(t: TestContext, prefix: string, port = redis.port) {
  const settings = { 'redis.keyPrefix': prefix, ...(port === redis.port ? { 'redis.isCluster': true } : {}) };
  const link = await connectRedis(clusterConfig({ url: `redis://127.0.0.1:${port}` }, settings).redis);
  t.after(() => link.close());
  const answers = await SharedAnswers.open(link, { bounds, nowMs: Date.now });
  t.after(() => answers.close());
  return answers;
}

const places: Record<string, (t: TestContext) => Promise<SimilarAnswers>> = {
  'data folder': async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-similar-'));
    const onFault = (error: unknown) => assert.fail(String(error));
    const answers = await StoredAnswers.open({ directory, bounds, nowMs: Date.now, onFault });
    t.after(async () => {
      await answers.close();
      rmSync(directory, { recursive: true });
    });
    return answers;
  },
  Redis: (t) => shared(t, `d${deployments++}`),
};

const dracula = 'Who is the author of Dracula?';

for (const [place, open] of Object.entries(places)) {
  test(`${place}: the nearest question whose words agree answers, if it is near enough`, async (t) => {
    const answers = await open(t);
    await answers.put(lasting('far'), asked('Who wrote Dracula?', 20));
    await answers.put(lasting('near'), asked('Who wrote Frankenstein?', 5));
    await eventually(async () => (await answers.find(asked(dracula, 0), 0.9)) !== null);
    const found = (await answers.find(asked(dracula, 0), 0.9))!;
    assert.equal(found.key, 'far'); // the nearer one asks for another book
    assert.deepEqual(found.answer, entryOf('far').answer);
    assert.ok(Math.abs(found.similarity! - Math.cos(Math.PI / 9)) < 1e-6);
    assert.equal(await answers.find(asked(dracula, 0), 0.95), null);
    assert.equal(await answers.find(asked(dracula, 0, 'other'), 0.9), null);
  });

  test(`${place}: an answer is gone with its time, by a purge, and by one that is newer`, async (t) => {
    const answers = await open(t);
    await answers.put(lasting('soon-over', 1_500), asked('why', 0));
    await eventually(async () => (await answers.find(asked('why', 0), 0.9)) !== null);
    await eventually(async () => (await answers.find(asked('why', 0), 0.9)) === null);
    await answers.put(lasting('a', 60_000, { tenant: 'x' }), asked('why', 0));
    await answers.put(lasting('b', 60_000, { tenant: 'y' }), asked('why', 30));
    await eventually(async () => (await answers.find(asked('why', 30), 0.99)) !== null);
    assert.equal(await answers.purge({ tenant: 'x' }), 1);
    assert.equal((await answers.find(asked('why', 0), 0.1))?.key, 'b');
    await answers.put(lasting('b', 60_000, { promptHead: 'newer' }), asked('why', 30));
    await eventually(async () => (await answers.find(asked('why', 30), 0.99))?.promptHead === 'newer');
    assert.equal(await answers.purge({ key: 'b' }), 1);
  });

  test(`${place}: beyond the bound the answer goes that wasn't asked for longest`, async (t) => {
    const answers = await open(t);
    for (let i = 0; i <= bounds.maxEntries; i += 1) {
      await answers.put(lasting(`k${i}`), asked(`question ${i}`, i, `scope ${i}`));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { maxEntries: last } = bounds;
    const found = async (i: number) => answers.find(asked(`question ${i}`, i, `scope ${i}`), 0.9);
    await eventually(async () => (await found(last))?.key === `k${last}`);
    assert.equal(await found(0), null);
    assert.equal((await answers.stats()).entries, last);
  });
}

async function sameAs(answers: SharedAnswers, keys: string[]): Promise<boolean> {
  return (await answers.knownKeys()).sort().join() === [...keys].sort().join();
}

test('Redis: whoever comes later, or was away, gets to the same state', async (t) => {
  const prefix = `d${deployments++}`;
  const single = await startRedis();
  t.after(() => single.close());
  const proxy = await startProxy(single.port);
  t.after(() => proxy.close());
  const first = await shared(t, prefix, single.port);
  const remote = await shared(t, prefix, proxy.port);
  for (const key of ['a', 'b', 'c']) await first.put(lasting(key), asked(`${key}?`, 0));
  await eventually(() => sameAs(remote, ['a', 'b', 'c']));
  proxy.cut('both');
  await first.purge({ key: 'b' });
  await first.put(lasting('d'), asked('d?', 0));
  await eventually(() => sameAs(first, ['a', 'c', 'd']));
  assert.ok(await sameAs(remote, ['a', 'b', 'c']));
  proxy.mend();
  await eventually(() => sameAs(remote, ['a', 'c', 'd']));

  const later = await shared(t, prefix, single.port);
  assert.ok(await sameAs(later, ['a', 'c', 'd']), 'from the start');
  assert.equal((await later.find(asked('d?', 0), 0.9))?.key, 'd');

  proxy.cut('both');
  await first.purge({ key: 'a' });
  await eventually(() => sameAs(first, ['c', 'd']));
  single.cli('XTRIM', `${prefix}:{semantic}:log`, 'MAXLEN', '0'); // as when very much had happened
  await first.put(lasting('e'), asked('e?', 0));
  proxy.mend();
  await eventually(() => sameAs(remote, ['c', 'd', 'e']));
  await eventually(() => sameAs(first, ['c', 'd', 'e']));

  single.cli('FLUSHALL');
  await eventually(async () => (await sameAs(first, [])) && (await sameAs(remote, [])));
  await remote.put(lasting('f'), asked('f?', 0));
  await eventually(() => sameAs(first, ['f']));
});

test('Redis: an answer that was begun before a purge is not kept after it', async (t) => {
  const answers = await shared(t, `d${deployments++}`);
  const question = asked('why', 0);
  assert.equal(await answers.find(question, 0.9), null);
  await answers.purge({ tenant: 'somebody' });
  await answers.put(lasting('a'), question);
  assert.equal((await answers.stats()).entries, 0);
});
