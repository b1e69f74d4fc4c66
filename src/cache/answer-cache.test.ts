import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, requestOf } from '../../test/support/plan.js';
import { configSchema } from '../config/index.js';
import { noAccounting } from '../cost/accounting.js';
import { Tab } from '../cost/tab.js';
import { type ErrorCode, SluiceError } from '../errors.js';
import type { FinishReason, GenerationEvent, GenerationSink, Usage } from '../generation/types.js';
import type { Errand } from '../routing/router.js';
import { Metrics } from '../telemetry/metrics.js';
import { untraced } from '../telemetry/trace.js';
import { AnswerCache, type Compute } from './answer-cache.js';
import type { CacheEntry, LowerLevel, PurgeSelector } from './types.js';

/** The stage alone: computations are scripted, time stands still unless it is moved. */

class FakeLevel implements LowerLevel {
  readonly level = 'l2';
  readonly entries = new Map<string, CacheEntry>();
  find: LowerLevel['find'] = async ({ key }) => this.entries.get(key) ?? null;
  tell: (selector: PurgeSelector) => void = () => undefined;

  async put(entry: CacheEntry): Promise<void> {
    this.entries.set(entry.key, entry);
  }

  async purge(): Promise<number> {
    const { size } = this.entries;
    this.entries.clear();
    return size;
  }

  async stats() {
    return { entries: this.entries.size, bytes: 0 };
  }

  onPurge(listener: (selector: PurgeSelector) => void): void {
    this.tell = listener;
  }

  async close(): Promise<void> {}
}

function setup(options: { lower?: FakeLevel[]; settings?: object } = {}) {
  const clock = { nowMs: Date.now() };
  const faults: unknown[] = [];
  const cache = new AnswerCache({
    settings: configSchema.parse({ cache: { diskTimeoutMs: 10_000, ttlJitter: 0, ...options.settings } })
      .cache,
    scope: { version: '1', defaultMaxTokens: 100, guardRevisionOf: () => null },
    lower: options.lower ?? [],
    metrics: new Metrics({ processMetrics: false }).cache,
    ask: () => assert.fail('no model is to be asked'),
    nowMs: () => clock.nowMs,
    random: () => 0,
    onFault: (error) => faults.push(error),
  });
  return { cache, clock, faults };
}

interface Asked extends Errand {
  events: GenerationEvent[];
  text: string;
  abort: AbortController;
}

async function errandOf(wire: object = {}, cacheControl?: string): Promise<Asked> {
  const request = requestOf(
    { prompt: 'a', temperature: 0, ...wire },
    cacheControl === undefined ? {} : { cacheControl },
  );
  const tab = new Tab(await noAccounting.admit({ id: request.id, caller: request.caller, tokens: 0 }));
  const events: GenerationEvent[] = [];
  const abort = new AbortController();
  const plan = planOf(request, [{ id: 'm' }]);
  const asked = { plan, request, tab, events, abort, signal: abort.signal, trace: untraced, text: '' };
  const sink: GenerationSink = (event) => {
    events.push(event);
    if (event.type === 'delta') asked.text += event.text;
  };
  return Object.assign(asked, { sink });
}

const usage: Usage = { promptTokens: 1, completionTokens: 3, cachedTokens: 0, nanodollars: 5 };
const started: GenerationEvent = {
  type: 'start',
  model: 'm',
  vocab: null,
  route: null,
  warning: null,
  trimmed: [],
  quota: {},
};
const delta = (text: string): GenerationEvent => ({
  type: 'delta',
  choice: 0,
  text,
  message: null,
  tokens: [-1],
  logprobs: null,
});
const done = (finishReason: FinishReason): GenerationEvent => ({
  type: 'done',
  choice: 0,
  finishReason,
  stopSequence: null,
});

/** A computation that the test drives. */
class Computation {
  calls = 0;
  sink!: GenerationSink;
  stop!: AbortSignal;
  end!: (finishReason?: FinishReason) => void;
  fail!: (error: unknown) => void;

  readonly compute: Compute = (sink, stop) => {
    this.calls += 1;
    this.sink = sink;
    this.stop = stop;
    return new Promise((resolve, reject) => {
      this.end = (finishReason = 'stop') => {
        sink(done(finishReason));
        resolve(usage);
      };
      this.fail = reject;
      stop.addEventListener('abort', () => this.end('cancelled'));
    });
  };

  begin(text: string): void {
    this.sink(started);
    this.sink(delta(text));
  }
}

const says =
  (text: string, finishReason: FinishReason = 'stop'): Compute =>
  async (sink) => {
    for (const event of [started, delta(text), done(finishReason)]) sink(event);
    return usage;
  };
const mustNot: Compute = () => assert.fail('there is an answer already');
const turn = () => new Promise(setImmediate);

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

test('who asks while it is computed gets what came so far, then the rest as it comes; it is computed once', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const [leader, ...followers] = await Promise.all(Array.from({ length: 50 }, () => errandOf()));
  const leading = cache.answer(leader!, computation.compute);
  await turn();
  computation.begin('one ');
  const following = followers.map((errand) => cache.answer(errand, mustNot));
  assert.ok(followers.every(({ text }) => text === 'one '));
  computation.sink(delta('two'));
  assert.ok(followers.every(({ text }) => text === 'one two'));
  computation.end();
  assert.equal((await leading).cache!.level, null);
  for (const each of await Promise.all(following)) {
    assert.equal(each.cache!.level, 'flight');
    assert.equal(each.nanodollars, null);
    assert.equal(each.completionTokens, 3);
  }
  assert.equal(computation.calls, 1);
});

test('a leader whose client gives up is let go at once; the others fly on', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const leader = await errandOf();
  const follower = await errandOf();
  const leading = cache.answer(leader, computation.compute);
  await turn();
  computation.begin('one ');
  const following = cache.answer(follower, mustNot);
  leader.abort.abort();
  const left = await leading;
  assert.deepEqual(leader.events.at(-1), done('cancelled'));
  assert.equal(left.completionTokens, 1);
  assert.equal(computation.stop.aborted, false);
  computation.sink(delta('two'));
  computation.end();
  assert.equal((await following).cache!.level, 'flight');
  assert.deepEqual([leader.text, follower.text], ['one ', 'one two']);
  await cache.answer(await errandOf(), mustNot);
});

test('when everybody has given up, the computation is stopped, and nothing is kept', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const both = [await errandOf(), await errandOf()];
  const answers = [cache.answer(both[0]!, computation.compute)];
  await turn();
  computation.begin('one ');
  answers.push(cache.answer(both[1]!, mustNot));
  for (const { abort } of both) abort.abort();
  await Promise.all(answers);
  assert.ok(computation.stop.aborted);
  for (const { events } of both) assert.deepEqual(events.at(-1), done('cancelled'));
  const next = await errandOf();
  await cache.answer(next, says('new'));
  assert.equal(next.text, 'new');
});

test("a failure of the leader's own is not the followers': one of them leads next", async () => {
  const faults: [ErrorCode, boolean][] = [
    ['deadline_exceeded', false],
    ['inference_timeout', false],
    ['insufficient_quota', true],
  ];
  for (const [code, isOfLimits] of faults) {
    const { cache } = setup();
    const first = new Computation();
    const second = new Computation();
    const leader = await errandOf();
    if (isOfLimits) Object.defineProperty(leader.tab, 'wasRefused', { value: true });
    const followers = [await errandOf(), await errandOf()];
    const leading = cache.answer(leader, first.compute);
    await turn();
    const following = followers.map((errand) => cache.answer(errand, second.compute));
    first.fail(new SluiceError(code, 'Scripted.'));
    await assert.rejects(leading, { code });
    await turn();
    second.begin('hello');
    second.end();
    assert.deepEqual(
      (await Promise.all(following)).map(({ cache }) => cache!.level),
      [null, 'flight'],
    );
    assert.deepEqual(
      followers.map(({ text }) => text),
      ['hello', 'hello'],
    );
    assert.equal(second.calls, 1);
  }
});

test('a failure of the model or the request is everybody’s', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const leading = cache.answer(await errandOf(), computation.compute);
  await turn();
  const following = cache.answer(await errandOf(), mustNot);
  computation.fail(new SluiceError('upstream_failed', 'Scripted.'));
  await assert.rejects(leading, { code: 'upstream_failed' });
  await assert.rejects(following, { code: 'upstream_failed' });
});

test('a follower keeps its own deadline, and does not join who might end too soon or stands behind it', async () => {
  const { cache } = setup();
  const slow = new Computation();
  const leading = cache.answer(await errandOf({ priority: 5 }), slow.compute);
  await turn();
  const hurried = cache.answer(await errandOf({ priority: 5, timeout_ms: 20 }), mustNot);
  await assert.rejects(hurried, { code: 'deadline_exceeded' });
  const urgent = await errandOf({ priority: 1 });
  await cache.answer(urgent, says('at once'));
  assert.equal(urgent.text, 'at once');
  slow.begin('late');
  slow.end();
  await leading;

  const { cache: other } = setup();
  const brief = new Computation();
  const leader = other.answer(await errandOf({ timeout_ms: 1000 }), brief.compute);
  await turn();
  const patient = await errandOf();
  await other.answer(patient, says('own'));
  assert.equal(patient.text, 'own');
  brief.begin('x');
  brief.end();
  await leader;
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
