import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSequence, nowMs } from '../../test/sim/sequence.js';
import type { Sequence } from './sequence.js';
import { WaitingQueue } from './waiting-queue.js';

function queueOf(sequences: Sequence[], cached = new Map<Sequence, number>()): WaitingQueue {
  const queue = new WaitingQueue({
    ageingMs: 2_000,
    urgentMs: 10_000,
    cachedPages: (s) => cached.get(s) ?? 0,
  });
  for (const each of sequences) queue.add(each);
  return queue;
}

const order = (queue: WaitingQueue, at = nowMs) => Array.from(queue.candidates(at));

test('priority first, then arrival', () => {
  const [low, first, second, high] = [{ priority: 2 }, {}, {}, { priority: 0 }].map((options) =>
    newSequence(options),
  ) as [Sequence, Sequence, Sequence, Sequence];
  assert.deepEqual(order(queueOf([low, first, second, high])), [high, first, second, low]);
});

test('a near deadline goes before arrival', () => {
  const first = newSequence();
  const later = newSequence({ deadlineMs: nowMs + 9_000 });
  const soon = newSequence({ deadlineMs: nowMs + 1_000 });
  assert.deepEqual(order(queueOf([first, later, soon])), [soon, later, first]);
});

test('the longest cached prefix goes first, but overtakes nobody who has waited long', () => {
  const [none, some, much] = [newSequence(), newSequence(), newSequence()];
  const cached = new Map([
    [some, 2],
    [much, 5],
  ]);
  assert.deepEqual(order(queueOf([none, some, much], cached)), [much, some, none]);
  const old = newSequence({ enqueuedAtMs: nowMs - 3_000 });
  assert.deepEqual(order(queueOf([none, some, old], cached)), [old, some, none]);
});

test('nor one whose deadline is near', () => {
  const urgent = newSequence({ deadlineMs: nowMs + 5_000 });
  const cached = newSequence();
  assert.deepEqual(order(queueOf([cached, urgent], new Map([[cached, 9]]))), [urgent, cached]);
});

test('preempted sequences go on before new ones of their priority', () => {
  const [fresh, high] = [newSequence(), newSequence({ priority: 0 })];
  const resumed = newSequence();
  resumed.preempted = true;
  assert.deepEqual(order(queueOf([fresh, resumed, high])), [high, resumed, fresh]);
});

test('tenants share by tokens served, however many requests one has waiting', () => {
  const flood = Array.from({ length: 40 }, () => newSequence({ tenant: 'flood' }));
  const guests = Array.from({ length: 4 }, () => newSequence({ tenant: 'guest' }));
  const queue = queueOf([...flood, ...guests]);
  const served: string[] = [];
  for (let i = 0; i < 8; i++) {
    const next = order(queue)[0]!;
    queue.take(next, 100);
    served.push(next.tenant);
  }
  assert.equal(served.filter((tenant) => tenant === 'guest').length, 4);
});

test('a tenant that asks for twice the tokens gets half the turns', () => {
  const queue = queueOf([
    ...Array.from({ length: 30 }, () => newSequence({ tenant: 'long' })),
    ...Array.from({ length: 30 }, () => newSequence({ tenant: 'short' })),
  ]);
  const turns = { long: 0, short: 0 };
  for (let i = 0; i < 30; i++) {
    const next = order(queue)[0]!;
    queue.take(next, next.tenant === 'long' ? 200 : 100);
    turns[next.tenant as 'long' | 'short']++;
  }
  assert.deepEqual(turns, { long: 10, short: 20 });
});

test('a tenant that comes back has no credit for its absence', () => {
  const queue = queueOf(Array.from({ length: 20 }, () => newSequence({ tenant: 'steady' })));
  for (let i = 0; i < 10; i++) queue.take(order(queue)[0]!, 100);
  for (let i = 0; i < 10; i++) queue.add(newSequence({ tenant: 'late' }));
  const served = Array.from({ length: 8 }, () => {
    const next = order(queue)[0]!;
    queue.take(next, 100);
    return next.tenant;
  });
  assert.equal(served.filter((tenant) => tenant === 'late').length, 4);
});

test('a tenant that never has more than one waiting takes turns with one that has two', () => {
  const queue = queueOf(Array.from({ length: 20 }, () => newSequence({ tenant: 'many' })));
  const served: string[] = [];
  for (let turn = 0; turn < 10; turn++) {
    queue.add(newSequence({ tenant: 'one' }));
    const [next] = order(queue) as [Sequence];
    queue.take(next, 10);
    served.push(next.tenant);
    for (const left of order(queue)) if (left.tenant === 'one') queue.remove(left);
  }
  assert.equal(served.filter((tenant) => tenant === 'many').length, 5);
});

test('the window bounds what a tenant shows, not what it can reach', () => {
  const all = Array.from({ length: 50 }, () => newSequence());
  const queue = queueOf(all);
  assert.equal(order(queue).length, 16);
  for (const each of all.slice(0, 20)) queue.remove(each);
  assert.equal(order(queue)[0], all[20]);
  assert.equal(queue.size, 30);
  queue.remove(all[0]!); // gone already
  assert.equal(queue.size, 30);
});
