import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SluiceError } from '../errors.js';
import { ModelQueue, type QueueEntry } from './model-queue.js';
import { type Waiter, WaitLine } from './wait-line.js';

const STEP_MS = 1000;

function waiter(number: number, priority: number, arrivedMs: number, tenant = 't'): Waiter {
  return { id: `w${number}`, tenant, number, priority, arrivedMs, heapIndex: -1 };
}

const arrivals = fc.array(fc.record({ priority: fc.nat(9), afterMs: fc.nat(500), leaves: fc.boolean() }), {
  maxLength: 60,
});

test('order: priority is a head start; positions tell the order in which the line is served', () => {
  fc.assert(
    fc.property(arrivals, (given) => {
      const line = new WaitLine<Waiter>(STEP_MS);
      let nowMs = 0;
      const all = given.map(({ priority, afterMs, leaves }, number) => {
        nowMs += afterMs;
        return { leaves, waiter: waiter(number, priority, nowMs) };
      });
      for (const { waiter } of all) line.add(waiter);
      for (const { leaves, waiter } of all) if (leaves) line.remove(waiter);
      const expected = all
        .filter(({ leaves }) => !leaves)
        .map(({ waiter }) => waiter)
        .sort(
          (a, b) =>
            a.arrivedMs + a.priority * STEP_MS - (b.arrivedMs + b.priority * STEP_MS) || a.number - b.number,
        );
      assert.deepEqual(
        expected.map((each) => line.position(each)),
        expected.map((_, index) => index + 1),
      );
      assert.deepEqual(line.list(), expected);
      assert.deepEqual(
        expected.map(() => line.next(() => true)),
        expected,
      );
      assert.equal(line.size, 0);
    }),
  );
});

test('tenants are served in turns, whatever their numbers, and positions tell the order', () => {
  const mixed = fc.array(
    fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), priority: fc.nat(9), isServed: fc.boolean() }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(mixed, (given) => {
      const line = new WaitLine<Waiter>(STEP_MS);
      given.forEach(({ tenant, priority, isServed }, number) => {
        line.add(waiter(number, priority, number, tenant));
        if (isServed) line.next(() => true);
      });
      const expected = line.list();
      const left = new Map<string, number>();
      for (const { tenant } of expected) left.set(tenant, (left.get(tenant) ?? 0) + 1);
      assert.deepEqual(
        expected.map((each) => line.position(each)),
        expected.map((_, index) => index + 1),
      );
      const served = expected.map(() => line.next(() => true)!);
      assert.deepEqual(served, expected);
      const counts = new Map([...left.keys()].map((tenant) => [tenant, 0]));
      for (const { tenant } of served) {
        counts.set(tenant, counts.get(tenant)! + 1);
        for (const [other, count] of counts) {
          if (count < left.get(other)!) assert.ok(counts.get(tenant)! - count <= 2, 'nobody gets far ahead');
        }
      }
    }),
  );
});

function entry(id: string, more: Partial<QueueEntry> = {}): QueueEntry {
  return {
    id,
    tenant: 't',
    priority: 1,
    deadlineMs: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    onWait: () => undefined,
    ...more,
  };
}

const limits = { maxRunning: 1, maxWaiting: 2, waitTimeoutMs: 60_000, priorityStepMs: STEP_MS };

function hasCode(code: string) {
  return (error: unknown) => error instanceof SluiceError && error.code === code;
}

test('so many run, so many wait, the rest is refused; leaving lets the next one in', async () => {
  const queue = new ModelQueue(limits);
  const positions: number[] = [];
  const onWait = (position: number) => positions.push(position);
  await queue.enter(entry('a'));
  const b = queue.enter(entry('b', { onWait }));
  const c = queue.enter(entry('c', { onWait, priority: 0 }));
  await assert.rejects(queue.enter(entry('d')), hasCode('queue_full'));
  assert.deepEqual(positions, [1, 1], 'the urgent one went to the front');
  assert.deepEqual(
    queue.list().map(({ id, position }) => [id, position]),
    [
      ['c', 1],
      ['b', 2],
    ],
  );
  queue.leave('t');
  await c;
  assert.equal(queue.waiting, 1);
  queue.leave('t');
  await b;
  assert.equal(queue.running, 1);
  queue.leave('t');
  assert.equal(queue.running, 0);
});

test('there is room to spare while one place is left beside the one that is taken', async () => {
  const one = new ModelQueue(limits);
  assert.ok(one.hasSpare, 'idle');
  await one.enter(entry('a'));
  assert.ok(!one.hasSpare);

  const three = new ModelQueue({ ...limits, maxRunning: 3 });
  await three.enter(entry('a'));
  assert.ok(three.hasSpare);
  await three.enter(entry('b'));
  assert.ok(!three.hasSpare, 'the last one is for who comes next');
});

test('who is cancelled leaves the line at once and is never served', async () => {
  const queue = new ModelQueue(limits);
  await queue.enter(entry('a'));
  const abort = new AbortController();
  const waiting = queue.enter(entry('b', { signal: abort.signal }));
  abort.abort();
  await assert.rejects(waiting, hasCode('cancelled'));
  assert.equal(queue.waiting, 0);
  queue.leave('t');
  assert.equal(queue.running, 0);
});

test('waiting too long is inference_timeout, past the deadline deadline_exceeded', async () => {
  const queue = new ModelQueue({ ...limits, waitTimeoutMs: 5 });
  await queue.enter(entry('a'));
  await assert.rejects(queue.enter(entry('b')), hasCode('inference_timeout'));
  await assert.rejects(queue.enter(entry('c', { deadlineMs: Date.now() + 1 })), hasCode('deadline_exceeded'));
  assert.equal(queue.waiting, 0);
});

test('more places let those in who wait', async () => {
  const queue = new ModelQueue(limits);
  await queue.enter(entry('a'));
  const waiting = [queue.enter(entry('b')), queue.enter(entry('c'))];
  queue.resize(3, 0);
  await Promise.all(waiting);
  assert.equal(queue.running, 3);
});

test('beyond the places, guests are those of whom one request waits and who have no more than another', async () => {
  const queue = new ModelQueue({ ...limits, maxRunning: 2, maxWaiting: 10 });
  queue.resize(2, 1);
  const flood = Array.from({ length: 5 }, (_, index) => queue.enter(entry(`f${index}`)));
  assert.deepEqual([queue.running, queue.waiting], [2, 3]);
  await queue.enter(entry('g', { tenant: 'guest' }));
  assert.equal(queue.running, 3);
  const next = queue.enter(entry('h', { tenant: 'other' }));
  assert.deepEqual([queue.running, queue.waiting], [3, 4], 'there is one such place');
  queue.leave('t');
  await next;
  assert.deepEqual([queue.running, queue.waiting], [3, 3], 'and the flood does not get it');
  queue.leave('guest');
  queue.leave('other');
  while (queue.running > 0 || queue.waiting > 0) queue.leave('t');
  await Promise.all(flood);
});

test('nobody overtakes the line by coming when a place is free', async () => {
  const queue = new ModelQueue(limits);
  await queue.enter(entry('a'));
  const b = queue.enter(entry('b'));
  queue.leave('t');
  assert.equal(queue.tryEnter('t'), false, 'the place is taken by who waited');
  await b;
});

test('who comes for the first time in a while finds a place that others must leave free', async () => {
  const queue = new ModelQueue({ ...limits, maxRunning: 18, maxWaiting: 10 });
  await queue.enter(entry('g', { tenant: 'guest' }));
  queue.leave('guest');
  const flood = Array.from({ length: 20 }, (_, index) => queue.enter(entry(`f${index}`)));
  assert.deepEqual([queue.running, queue.waiting], [15, 5]);
  await queue.enter(entry('h', { tenant: 'guest' }));
  assert.deepEqual([queue.running, queue.waiting], [16, 5]);
  while (queue.running > 1 || queue.waiting > 0) queue.leave('t');
  await Promise.all(flood);
});
