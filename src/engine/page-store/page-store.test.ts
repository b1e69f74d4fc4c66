import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { prompt, request, type TestCore, testCore } from '../../../test/sim/core.js';
import { FakeDisk } from '../../../test/sim/fake-disk.js';
import { Random } from '../../../test/sim/random.js';
import { DiskLink } from './disk-link.js';
import type { PageDisk } from './page-disk.js';
import { PageStore } from './page-store.js';

interface Setting {
  hostPages?: number;
  disk?: PageDisk | null;
  salt?: string;
  computeMs?: number; // of a token
  copyMs?: number;
  pages?: number;
}

/** An engine with a small pool and a store, over the fake model. */
function stored(setting: Setting = {}): TestCore {
  const { hostPages = 100, disk = null, salt = '', computeMs = 1, copyMs = 0.01, pages = 16 } = setting;
  return testCore(
    { pages },
    (call, count, clock) => {
      clock.nowMs += call === 'readPage' || call === 'writePage' ? copyMs : 1 + count * computeMs;
    },
    'pages',
    (context, clock) =>
      new PageStore({
        context,
        pageSize: 4,
        hostBytes: hostPages * context.info.bytesPerPage,
        salt,
        disk,
        nowMs: () => clock.nowMs,
        onFault: assert.fail,
      }),
  );
}

/** Prompt tokens of a request that did not have to be computed. */
function cachedOf(test: TestCore, salt: number, tenant = 'a'): number {
  const { id, ...rest } = request({ prompt: prompt(41, salt), tenant });
  test.core.submit({ id, ...rest });
  test.finish();
  const event = test.of(id).find(({ type }) => type === 'prompt');
  assert.ok(event?.type === 'prompt');
  return event.cachedTokens;
}

/** Prompts that together need more than the pool. */
function crowdOut(test: TestCore): void {
  for (let salt = 20; salt < 26; salt++) cachedOf(test, salt);
}

test('an evicted prompt comes back by copying, and counts as cached', () => {
  const test = stored();
  assert.equal(cachedOf(test, 1), 0);
  crowdOut(test);
  const { tokensComputed } = test.context;
  assert.equal(cachedOf(test, 1), 40);
  assert.ok(test.context.tokensComputed - tokensComputed < 10);
  assert.equal(test.core.stats().pagesRestored, 10);
  assert.equal(cachedOf(test, 1, 'b'), 0, 'but not for another tenant');
});

test('where copying takes longer than computing, it is computed', () => {
  const test = stored({ computeMs: 0.01, copyMs: 50 });
  cachedOf(test, 1);
  crowdOut(test);
  cachedOf(test, 2);
  crowdOut(test);
  const before = test.core.stats().pagesRestored;
  for (let i = 0; i < 30; i++) crowdOut(test);
  const later = test.core.stats().pagesRestored;
  assert.ok(later - before < 60, 'a few until the cost is known');
  crowdOut(test);
  assert.equal(test.core.stats().pagesRestored, later);
});

test('a host tier that is too small gives to the disk, and gets from there', () => {
  const disk = new FakeDisk(new Random(1), 0);
  const test = stored({ hostPages: 24, disk });
  cachedOf(test, 1);
  crowdOut(test);
  assert.equal(cachedOf(test, 1), 40);
  assert.ok(test.core.stats().pagesFetched >= 8);
});

test('a disk that never answers delays a request by no more than computing it', () => {
  const disk = new FakeDisk(new Random(1), 0);
  const test = stored({ hostPages: 24, disk });
  cachedOf(test, 1);
  crowdOut(test);
  disk.poll = () => {};
  const wanted = request({ prompt: prompt(41, 1) });
  test.core.submit(wanted);
  const startMs = test.clock.nowMs;
  while (test.core.hasWork) {
    test.core.step();
    if (test.core.isBlocked) test.clock.nowMs += 1;
  }
  assert.equal(test.of(wanted.id).at(-1)!.type, 'done');
  assert.ok(test.clock.nowMs - startMs < 3 * 41);
});

test('the next process finds the cached pages on the disk, whatever evicted them; other models find nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const first = new DiskLink(directory, 2 ** 20, assert.fail);
  const before = stored({ disk: first, pages: 64 });
  cachedOf(before, 1);
  await before.core.close(Number.POSITIVE_INFINITY);
  await first.ended;

  const disk = new DiskLink(directory, 2 ** 20, assert.fail);
  const after = stored({ disk });
  await after.core.open(Number.POSITIVE_INFINITY);
  const wanted = request({ prompt: prompt(41, 1) });
  after.core.submit(wanted);
  while (after.core.hasWork) {
    after.core.step();
    if (after.core.isBlocked) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const event = after.of(wanted.id).find(({ type }) => type === 'prompt');
  assert.ok(event?.type === 'prompt' && event.cachedTokens === 40);
  const other = stored({ disk, salt: 'another model' });
  assert.equal(cachedOf(other, 1), 0);
  disk.close();
});
