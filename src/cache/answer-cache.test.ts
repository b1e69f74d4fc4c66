import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Computation,
  errandOf,
  FakeLevel,
  mustNot,
  says,
  setup,
  turn,
} from '../../test/support/answer-cache.js';
import { SluiceError } from '../errors.js';
import type { GenerationEvent } from '../generation/types.js';
import type { Compute } from './answer-cache.js';

test('what was computed once is given again, marked, at no cost', async () => {
  const { cache, clock } = setup();
  const first = await errandOf();
  assert.equal((await cache.answer(first, says('hello'))).cache!.level, null);
  clock.nowMs += 2500;
  const second = await errandOf({ stream: true });
  const again = await cache.answer(second, mustNot);
  assert.deepEqual(again, {
    promptTokens: 1,
    completionTokens: 3,
    cachedTokens: 1,
    nanodollars: null,
    cache: { ...again.cache!, level: 'l1', ageMs: 2500, similarity: null },
  });
  const plain = (events: GenerationEvent[]) =>
    events.map((event) => ('cache' in event ? { ...event, cache: null } : event));
  assert.deepEqual(plain(second.events), plain(first.events));
});

test('nothing is kept of answers that are cut off, cancelled, blocked, failed, or from a stand-in', async () => {
  const cases: [string, Compute, object?][] = [
    ['cut off at the default length', says('x', 'length')],
    ['cut off before the length that was asked for', says('x', 'length'), { max_tokens: 4 }],
    ['cancelled', says('x', 'cancelled')],
    ['blocked', says('x', 'content_filter')],
    ['failed', () => Promise.reject(new SluiceError('engine_failed', 'Scripted.'))],
    [
      'from a stand-in',
      async (sink, stop) => {
        const step = { nanodollars: 0, quality: null };
        const steps = [
          { model: 'n', outcome: 'upstream_failed', ...step },
          { model: 'm', outcome: 'answered', ...step },
        ];
        const route = { name: 'plan', model: 'm', variant: null, nanodollars: 0, quality: null, steps };
        return { ...(await says('x')(sink, stop)), route };
      },
    ],
  ];
  for (const [what, compute, wire] of cases) {
    const { cache } = setup();
    await cache.answer(await errandOf(wire), compute).catch(() => undefined);
    const next = await errandOf(wire);
    await cache.answer(next, says('new'));
    assert.equal(next.text, 'new', what);
  }
});

test('an answer that is as long as was asked for is whole', async () => {
  const { cache } = setup();
  await cache.answer(await errandOf({ max_tokens: 3 }), says('x', 'length'));
  await cache.answer(await errandOf({ max_tokens: 3 }), mustNot);
});

test('by default only answers that are always the same are kept; requests and settings can ask for more or less', async () => {
  const isKept = async (wire: object, settings = {}) => {
    const { cache } = setup({ settings });
    let computed = 0;
    const compute: Compute = (sink, stop) => {
      computed += 1;
      return says('x')(sink, stop);
    };
    for (let i = 0; i < 2; i += 1) await cache.answer(await errandOf(wire), compute);
    return computed === 1;
  };
  assert.equal(await isKept({ temperature: 0 }), true);
  assert.equal(await isKept({ temperature: 1, seed: 5 }), true);
  assert.equal(await isKept({ temperature: 1 }), false);
  assert.equal(await isKept({ temperature: 1, cache: true }), true);
  assert.equal(await isKept({ temperature: 1 }, { sampled: true }), true);
  assert.equal(await isKept({ temperature: 0, cache: false }), false);
  assert.equal(await isKept({ temperature: 0 }, { enabled: false }), false);
});

test('cache-control: a new answer, none kept, not older than, or nothing at all', async () => {
  const { cache, clock } = setup();
  const ask = async (text: string, cacheControl?: string) => {
    const errand = await errandOf({}, cacheControl);
    await cache.answer(errand, says(text));
    return errand.text;
  };
  await assert.rejects(ask('', 'only-if-cached'), { code: 'not_cached' });
  assert.equal(await ask('one'), 'one');
  assert.equal(await ask('two', 'no-store'), 'two');
  assert.equal(await ask('three'), 'one');
  assert.equal(await ask('four', 'only-if-cached'), 'one');
  assert.equal(await ask('five', 'no-cache'), 'five');
  assert.equal(await ask('six'), 'five');
  clock.nowMs += 10_000;
  assert.equal(await ask('seven', 'max-age=10'), 'five');
  assert.equal(await ask('eight', 'max-age=9'), 'eight');
  assert.equal(await ask('nine', 'max-age=9'), 'eight');
  assert.equal(await ask('ten', 'max-age=soon'), 'eight', 'fresh at this very moment');
});

test('answers expire, sooner by the jitter', async () => {
  const { cache, clock } = setup({ settings: { ttlSeconds: 10 } });
  await cache.answer(await errandOf(), says('x'));
  clock.nowMs += 9_999;
  await cache.answer(await errandOf(), mustNot);
  clock.nowMs += 1;
  const late = await errandOf();
  await cache.answer(late, says('new'));
  assert.equal(late.text, 'new');
});

test('a lower level answers everybody who waits, and what it has goes up into memory with the time it has left', async () => {
  const lower = new FakeLevel();
  const { cache: before } = setup({ lower: [lower], settings: { ttlSeconds: 10 } });
  await before.answer(await errandOf(), says('kept'));
  const { cache, clock } = setup({ lower: [lower] });
  let lookUps = 0;
  lower.find = async ({ key }) => {
    lookUps += 1;
    await turn();
    return lower.entries.get(key) ?? null;
  };
  const errands = [await errandOf(), await errandOf()];
  const usages = await Promise.all(errands.map((errand) => cache.answer(errand, mustNot)));
  assert.deepEqual(
    usages.map(({ cache }) => cache!.level),
    ['l2', 'l2'],
  );
  assert.deepEqual(
    errands.map(({ text }) => text),
    ['kept', 'kept'],
  );
  assert.equal(lookUps, 1);
  assert.equal((await cache.answer(await errandOf(), mustNot)).cache!.level, 'l1');
  clock.nowMs += 11_000;
  lower.entries.clear();
  const late = await errandOf();
  await cache.answer(late, says('new'));
  assert.equal(late.text, 'new');
});

test('a lower level that fails or hangs costs a hit and nothing else', async () => {
  const lower = new FakeLevel();
  lower.find = () => Promise.reject(new Error('disk'));
  lower.put = () => Promise.reject(new Error('full'));
  lower.stats = () => Promise.reject(new Error('gone'));
  const { cache, faults } = setup({ lower: [lower], settings: { diskTimeoutMs: 20 } });
  await cache.answer(await errandOf(), says('x'));
  assert.deepEqual(Object.keys(await cache.stats()), ['l1']);
  assert.equal(faults.length, 3);
  lower.find = () => new Promise(() => undefined);
  await cache.answer(await errandOf({ prompt: 'b' }), says('y'));
});

test('after a purge nothing comes back: not what was computed or looked up meanwhile', async () => {
  const lower = new FakeLevel();
  const { cache } = setup({ lower: [lower] });
  await cache.answer(await errandOf(), says('old'));
  const computation = new Computation();
  const running = cache.answer(await errandOf({ prompt: 'b' }), computation.compute);
  await turn();
  assert.deepEqual(await cache.purge({}), { l1: 1, l2: 1 });
  computation.begin('stale');
  const late = await errandOf({ prompt: 'b' });
  await cache.answer(late, says('fresh'));
  assert.equal(late.text, 'fresh', 'it does not join what was begun before');
  computation.end();
  await running;
  const again = await errandOf({ prompt: 'b' });
  await cache.answer(again, mustNot);
  assert.equal(again.text, 'fresh');
  const next = await errandOf();
  await cache.answer(next, says('new'));
  assert.equal(next.text, 'new');
});

test('another process’s purge reaches memory', async () => {
  const lower = new FakeLevel();
  const { cache } = setup({ lower: [lower] });
  await cache.answer(await errandOf(), says('old'));
  lower.entries.clear();
  lower.tell({});
  const next = await errandOf();
  await cache.answer(next, says('new'));
  assert.equal(next.text, 'new');
});

test('an answer whose model was replaced meanwhile is not kept', async () => {
  const { cache } = setup();
  const errand = await errandOf();
  const { deployment } = errand.plan.candidates[0]!;
  await cache.answer(errand, async (sink, stop) => {
    deployment.use({ ...deployment.target!, revision: 'r2' });
    return await says('of the new one')(sink, stop);
  });
  const next = await errandOf();
  await cache.answer(next, says('of the old one'));
  assert.equal(next.text, 'of the old one');
});
