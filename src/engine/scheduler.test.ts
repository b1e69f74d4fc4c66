import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prompt, smallConfig } from '../../test/sim/core.js';
import { newSequence, nowMs } from '../../test/sim/sequence.js';
import { Placement } from './placement.js';
import { Scheduler, type SchedulerConfig } from './scheduler.js';
import type { Sequence, SequenceOptions } from './sequence.js';
import type { StepPlan } from './step-plan.js';
import { StepTimeModel } from './step-time.js';

let prompts = 0;

function sequence(length: number, options: Partial<SequenceOptions> = {}): Sequence {
  return newSequence({ prompt: prompt(length, prompts++), ...options }); // no two share a page
}

function schedulerOf(overrides: Partial<SchedulerConfig> = {}, stepTime = new StepTimeModel()) {
  const released: number[] = [];
  const scheduler = new Scheduler({ ...smallConfig, ...overrides }, stepTime, (slot) => released.push(slot));
  return { scheduler, released };
}

/** Plans and computes one step; every complete sequence gets a token. */
function step(scheduler: Scheduler, at = nowMs): [Sequence, number][] {
  const plan = scheduler.schedule(at);
  const planned = entriesOf(plan);
  scheduler.advance(plan);
  for (let i = 0; i < plan.size; i++) {
    const { sequence: each, complete } = plan.entries[i]!;
    if (complete && each.length < each.maxLength) each.append(1);
  }
  scheduler.check();
  return planned;
}

/** The same sequences, not only equal ones, with the same numbers of tokens. */
function assertPlan(actual: [Sequence, number][], expected: [Sequence, number][], message?: string): void {
  const plain = (plan: [Sequence, number][]) =>
    plan.map(([each, count]) => `sequence ${each.arrival}: ${count}`);
  assert.deepEqual(plain(actual), plain(expected), message);
}

function assertRunning(scheduler: Scheduler, expected: Sequence[], message?: string): void {
  assert.deepEqual(
    scheduler.running.map((each) => each.arrival),
    expected.map((each) => each.arrival),
    message,
  );
}

function entriesOf(plan: StepPlan): [Sequence, number][] {
  return plan.entries.slice(0, plan.size).map(({ sequence: each, count }) => [each, count]);
}

test('a step holds the running sequences first, then prompts within the budget', () => {
  const { scheduler } = schedulerOf({ maxBatchTokens: 16 });
  const [a, b, c] = [sequence(6), sequence(8), sequence(9)];
  for (const each of [a, b, c]) scheduler.enqueue(each);
  assertPlan(step(scheduler), [
    [a, 6],
    [b, 8],
    [c, 2],
  ]);
  assertPlan(step(scheduler), [
    [a, 1],
    [b, 1],
    [c, 7],
  ]);
  assertPlan(step(scheduler), [
    [a, 1],
    [b, 1],
    [c, 1],
  ]);
});

test('a prompt longer than a step leaves a quarter to short ones, and gets back what they do not use', () => {
  const { scheduler } = schedulerOf({ maxBatchTokens: 40 });
  const long = sequence(100);
  scheduler.enqueue(long);
  assertPlan(step(scheduler), [[long, 40]]);
  const [second, short] = [sequence(90), sequence(6)];
  scheduler.enqueue(second);
  scheduler.enqueue(short);
  assertPlan(
    step(scheduler),
    [
      [long, 34],
      [short, 6],
    ],
    'a second long prompt waits for the first',
  );
  assertPlan(step(scheduler), [
    [short, 1],
    [long, 26],
    [second, 13],
  ]);
});

test('only what fits with its whole prompt is admitted, above the watermark', () => {
  const { scheduler } = schedulerOf({ pages: 10, watermark: 0.2 });
  const [a, b, c] = [sequence(15), sequence(17), sequence(8, { maxNewTokens: 1 })];
  for (const each of [a, b, c]) scheduler.enqueue(each);
  step(scheduler);
  assertRunning(scheduler, [a, c], 'five of six free pages would leave less than two');
  assert.equal(b.state, 'waiting');
});

test('a misfit is passed for a while only', () => {
  const { scheduler } = schedulerOf({ pages: 10 });
  const a = sequence(20);
  scheduler.enqueue(a);
  step(scheduler);
  const [big, small] = [sequence(24), sequence(3)];
  scheduler.enqueue(big);
  step(scheduler);
  scheduler.enqueue(small);
  step(scheduler, nowMs + 2_500);
  assert.equal(small.state, 'waiting', 'pages are saved for the one that has waited long');
  step(scheduler, nowMs + 500);
  assert.equal(small.state, 'decoding');
});

test('out of pages the youngest of the lowest priority is preempted, and computed again', () => {
  const { scheduler, released } = schedulerOf({ pages: 6 });
  const [first, low, high] = [sequence(7), sequence(7, { priority: 2 }), sequence(7, { priority: 0 })];
  for (const each of [low, first, high]) scheduler.enqueue(each);
  step(scheduler);
  assertRunning(scheduler, [high, first, low]);
  step(scheduler);
  const slot = low.slot;
  step(scheduler); // everyone's third page
  assert.equal(low.state, 'waiting');
  assert.deepEqual(released, [slot]);
  assert.equal(scheduler.preemptions, 1);
  assert.equal(low.length, 9, 'its tokens are kept');
  scheduler.finish(high, true);
  scheduler.finish(first, true);
  step(scheduler);
  assert.equal(low.state, 'decoding');
  assert.equal(low.length, 10);
});

test('nobody starts in a step that was short of pages', () => {
  const { scheduler } = schedulerOf({ pages: 6 });
  const [first, low] = [sequence(7), sequence(14, { priority: 2 })];
  scheduler.enqueue(first);
  scheduler.enqueue(low);
  step(scheduler);
  step(scheduler);
  const small = sequence(3, { maxNewTokens: 1 });
  scheduler.enqueue(small);
  assertPlan(step(scheduler), [[first, 1]]);
  assert.equal(low.state, 'waiting');
  assertPlan(step(scheduler), [
    [first, 1],
    [small, 3],
  ]);
});

test('cached leaves go before sessions, and sessions before running sequences', () => {
  const { scheduler } = schedulerOf({ pages: 8 });
  const session = sequence(8, { sessionId: 's', maxNewTokens: 1 });
  scheduler.enqueue(session);
  step(scheduler);
  scheduler.finish(session, true);
  const cached = sequence(8, { maxNewTokens: 1 });
  scheduler.enqueue(cached);
  step(scheduler);
  scheduler.finish(cached, true);
  assert.deepEqual([scheduler.pool.free, scheduler.cache.evictable, scheduler.sessions.size], [4, 2, 1]);
  const a = sequence(22);
  scheduler.enqueue(a);
  step(scheduler);
  assert.deepEqual([scheduler.pool.free, scheduler.cache.evictable, scheduler.sessions.size], [0, 0, 1]);
  for (let i = 0; i < 3; i++) step(scheduler);
  assert.deepEqual([scheduler.sessions.size, scheduler.preemptions], [0, 0]);
});

test('simultaneous cold prompts compute their common prefix once', () => {
  const { scheduler } = schedulerOf({ maxBatchTokens: 24 });
  const common = prompt(32, 99);
  const alike = (i: number) => sequence(0, { prompt: Int32Array.from([...common, 1 + i, 2 + i, 3, 4]) });
  const all = [alike(0), alike(1), alike(2), alike(3)] as const;
  const stranger = sequence(0, { prompt: Int32Array.from([...common, 9]), tenant: 'b', maxNewTokens: 1 });
  for (const each of all) scheduler.enqueue(each);
  assertPlan(step(scheduler), [[all[0], 24]]);
  assertPlan(step(scheduler), [[all[0], 12]], 'the others wait for the rest of the prefix');
  assertPlan(step(scheduler), [
    [all[0], 1],
    [all[1], 4],
    [all[2], 4],
    [all[3], 4],
  ]);
  scheduler.enqueue(stranger);
  assertPlan(step(scheduler).slice(-1), [[stranger, 20]], 'another tenant shares nothing');
});

test('who waited for a prefix goes on alone when its computation ends early', () => {
  const { scheduler } = schedulerOf({ maxBatchTokens: 16 });
  const common = prompt(40, 98);
  const [first, second] = [sequence(0, { prompt: common }), sequence(0, { prompt: common })];
  scheduler.enqueue(first);
  scheduler.enqueue(second);
  step(scheduler);
  scheduler.finish(first, true); // cancelled
  assertPlan(step(scheduler), [[second, 16]]);
  assert.equal(second.cachedAtAdmission, 16);
});

test('prompt chunks keep a step under its target while others decode, and never stop', () => {
  const stepTime = new StepTimeModel(10, 1, 0, 0);
  const { scheduler } = schedulerOf(
    { maxBatchTokens: 256, pages: 512, maxPagesPerSequence: 256, targetStepMs: 70 },
    stepTime,
  );
  const running = sequence(3);
  const long = sequence(500);
  scheduler.enqueue(running);
  step(scheduler);
  scheduler.enqueue(long);
  assertPlan(
    step(scheduler),
    [
      [running, 1],
      [long, 59],
    ],
    '10 ms and a millisecond a token',
  );
  scheduler.finish(running, true);
  assertPlan(step(scheduler), [[long, 256]], 'alone it has the whole step');

  const slow = new StepTimeModel(500, 100, 0, 0);
  const { scheduler: busy } = schedulerOf({ maxBatchTokens: 512, pages: 512, targetStepMs: 70 }, slow);
  const decode = sequence(3);
  busy.enqueue(decode);
  step(busy);
  const next = sequence(100);
  busy.enqueue(next);
  assertPlan(step(busy), [
    [decode, 1],
    [next, 8],
  ]);
});

test('who has many slots gives its youngest up to a tenant that has few, and goes on when its turn comes', () => {
  const { scheduler } = schedulerOf({ maxSequences: 4 });
  const mine = Array.from({ length: 4 }, () => sequence(6));
  for (const each of mine) scheduler.enqueue(each);
  step(scheduler);
  assertRunning(scheduler, mine);
  const [first, second] = [sequence(6, { tenant: 'b' }), sequence(6, { tenant: 'b' })];
  scheduler.enqueue(first);
  scheduler.enqueue(second);
  step(scheduler);
  assertRunning(scheduler, [...mine.slice(0, 3), first]);
  step(scheduler);
  assertRunning(scheduler, [...mine.slice(0, 2), first, second]);
  scheduler.enqueue(sequence(6, { tenant: 'b' }));
  for (let count = 0; count < 5; count++) step(scheduler);
  assertRunning(scheduler, [...mine.slice(0, 2), first, second], 'nobody takes more than its half');
  assert.equal(scheduler.preemptions, 2);
  scheduler.finish(mine[0]!, true);
  scheduler.finish(mine[1]!, true);
  step(scheduler);
  assert.ok(mine[2]!.state !== 'waiting' && mine[2]!.cachedAtAdmission >= 0);
  while (mine[2]!.length < mine[2]!.maxLength) step(scheduler);
});

test('slots are not given up to a sequence that could not start, or by sequences that would lose all their work', () => {
  const { scheduler } = schedulerOf({ maxSequences: 4 });
  const mine = Array.from({ length: 4 }, () => sequence(6, { cacheable: false }));
  for (const each of mine) scheduler.enqueue(each);
  step(scheduler);
  scheduler.enqueue(sequence(6, { tenant: 'b' }));
  step(scheduler);
  assertRunning(scheduler, mine);
  const urgent = schedulerOf({ maxSequences: 4 }).scheduler;
  const first = Array.from({ length: 4 }, () => sequence(6, { priority: 0 }));
  for (const each of first) urgent.enqueue(each);
  step(urgent);
  urgent.enqueue(sequence(6, { tenant: 'b' }));
  step(urgent);
  assertRunning(urgent, first, 'a later class takes nothing from an earlier one');
});

test('a step that brings a first token to who has little is not lengthened by prompts of who has much', () => {
  const { scheduler } = schedulerOf();
  for (let count = 0; count < 4; count++) scheduler.enqueue(sequence(6));
  step(scheduler);
  const [small, large] = [sequence(6, { tenant: 'b' }), sequence(9)];
  scheduler.enqueue(small);
  scheduler.enqueue(large);
  const planned = step(scheduler);
  assert.ok(planned.some(([each, count]) => each === small && count === 6));
  assert.ok(!planned.some(([each]) => each === large));
  assert.ok(step(scheduler).some(([each, count]) => each === large && count === 9));
});

/** Four of tenant a that decode, with tenant b still known from a sequence that has ended. */
function unevenScheduler(overrides: Partial<SchedulerConfig>): { scheduler: Scheduler; many: Sequence[] } {
  const { scheduler } = schedulerOf(overrides);
  const visitor = sequence(2, { tenant: 'b', cacheable: false });
  scheduler.enqueue(visitor);
  step(scheduler);
  scheduler.finish(visitor, false);
  const many = Array.from({ length: 4 }, () => sequence(3, { maxNewTokens: 40 }));
  for (const each of many) scheduler.enqueue(each);
  step(scheduler);
  return { scheduler, many };
}

test('a step for the prompts of who has few is for everyone where these find no pages', () => {
  const { scheduler, many } = unevenScheduler({ pages: 5, targetStepMs: 50 });
  const misfit = sequence(8, { tenant: 'b' });
  scheduler.enqueue(misfit);
  const decoded = new Set<Sequence>();
  for (let count = 0; count < 4; count++) {
    const planned = step(scheduler);
    assert.ok(planned.length > 0);
    for (const [each] of planned) decoded.add(each);
  }
  for (const each of many) assert.ok(decoded.has(each));
});

test('in throughput mode prompts of who has many take what a step has room for', () => {
  const { scheduler, many } = unevenScheduler({ pages: 128, targetStepMs: 0 });
  const long = sequence(120);
  scheduler.enqueue(long);
  const free = smallConfig.maxBatchTokens - many.length;
  assertPlan(step(scheduler), [...many.map((each): [Sequence, number] => [each, 1]), [long, free]]);
});

test('a long prompt keeps steps below twice their decodes, a short one below the target', () => {
  const stepTime = new StepTimeModel(10, 1, 0, 0);
  const sizes = { maxBatchTokens: 512, pages: 512, maxPagesPerSequence: 512, targetStepMs: 50 };
  const { scheduler } = schedulerOf(sizes, stepTime);
  const running = sequence(3, { maxNewTokens: 200 });
  scheduler.enqueue(running);
  step(scheduler);
  const [long, short] = [sequence(1_000), sequence(24)];
  scheduler.enqueue(long);
  assertPlan(
    step(scheduler),
    [
      [running, 1],
      [long, 8],
    ],
    '11 ms a decode alone, 19 with the prompt',
  );
  scheduler.enqueue(short);
  assertPlan(step(scheduler), [
    [running, 1],
    [long, 7],
    [short, 24],
  ]);
  scheduler.finish(short, true);
  for (let i = 0; i < 105; i++) step(scheduler);
  assert.ok(long.remaining > 0 && long.remaining < 100);
  const chunk = entriesOf(scheduler.schedule(nowMs)).find(([each]) => each === long);
  assert.equal(chunk?.[1], 9, 'nor are they longer near its end');
});

test('the requests that could never run are known before they wait', () => {
  const { scheduler } = schedulerOf({ pages: 10 });
  assert.ok(scheduler.canEverFit(sequence(20)));
  assert.ok(!scheduler.canEverFit(sequence(21)));
  assert.ok(!schedulerOf({ maxPagesPerSequence: 4 }).scheduler.canEverFit(sequence(1)));
});

test('a pin is refused where it would leave an accepted request without room', () => {
  const { scheduler } = schedulerOf({ pages: 10 });
  const pinned = sequence(12, { maxNewTokens: 0 });
  const waiting = sequence(12);
  scheduler.enqueue(pinned);
  step(scheduler);
  scheduler.enqueue(waiting); // 8 pages; 3 are to be pinned
  const prefix = { id: 'p', tenant: 'a', tokens: 12, pages: 3, createdAtMs: nowMs, hits: 0 };
  assert.ok(!scheduler.pin(pinned, prefix));
  assert.equal(scheduler.cache.pinnedPages, 0);
  scheduler.finish(waiting, true);
  assert.ok(scheduler.pin(pinned, prefix));
  scheduler.finish(pinned, true);
  assert.equal(scheduler.cache.evict(10), 0, 'pinned pages are never evicted');
  assert.ok(!scheduler.canEverFit(sequence(12)));
  const sharing = sequence(0, { prompt: Int32Array.from([...pinned.tokens, 1]) });
  assert.ok(scheduler.canEverFit(sharing), 'who shares the pinned pages needs fewer');
  scheduler.enqueue(sharing);
  step(scheduler);
  assert.equal(scheduler.prefixes.list('a')[0]!.hits, 1);
});

test('slots are reused from the lowest', () => {
  const { scheduler } = schedulerOf();
  const all = [sequence(3), sequence(3), sequence(3)];
  for (const each of all) scheduler.enqueue(each);
  step(scheduler);
  scheduler.finish(all[1]!, true);
  scheduler.finish(all[0]!, true);
  const next = sequence(3);
  scheduler.enqueue(next);
  step(scheduler);
  assert.equal(next.slot, 0);
});

test('a sequence that has grown finds all that is cached of it, though the cache has not changed', () => {
  const placement = new Placement(smallConfig);
  const text = prompt(13, 1);
  const first = sequence(13, { prompt: text });
  const second = sequence(5, { prompt: text.slice(0, 5) });
  placement.take(first, 0);
  first.computed = 12;
  placement.release(first, true);
  placement.take(second, 0);
  assert.equal(second.sharedPages, 1);
  for (const token of text.subarray(5)) second.append(token);
  second.computed = 8;
  placement.release(second, true); // its second page is there already
  placement.take(second, 0);
  assert.equal(second.sharedPages, 3);
  assert.equal(placement.cache.copyPages(second.tail!, new Int32Array(8)), second.sharedPages);
});
