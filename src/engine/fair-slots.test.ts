import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallConfig } from '../../test/sim/core.js';
import { newSequence, nowMs } from '../../test/sim/sequence.js';
import { Scheduler } from './scheduler.js';
import type { Sequence } from './sequence.js';
import { StepTimeModel } from './step-time.js';

let prompts = 0;

function sequence(tenant: string): Sequence {
  const prompt = Int32Array.from({ length: 8 }, (_, i) => 1 + ((prompts * 7 + i) % 13));
  prompts++;
  return newSequence({ tenant, prompt, cacheable: false, speculative: false }); // none gives its slot up
}

function schedulerOf(slots: number, guestSequences: number): Scheduler {
  const config = { ...smallConfig, maxSequences: slots + guestSequences, guestSequences };
  return new Scheduler(config, new StepTimeModel(), () => {});
}

function step(scheduler: Scheduler): string {
  const plan = scheduler.schedule(nowMs);
  scheduler.advance(plan);
  for (let i = 0; i < plan.size; i++) plan.entries[i]!.sequence.append(1);
  scheduler.check();
  return scheduler.running.map(({ tenant }) => tenant).join('');
}

test('one tenant alone has the slots, and none of the guests', () => {
  const scheduler = schedulerOf(2, 2);
  for (let i = 0; i < 5; i++) scheduler.enqueue(sequence('a'));
  assert.equal(step(scheduler), 'aa');
  assert.equal(step(scheduler), 'aa');
});

test('where one tenant floods, others with a sequence that waits are guests', () => {
  const scheduler = schedulerOf(2, 2);
  for (let i = 0; i < 5; i++) scheduler.enqueue(sequence('a'));
  step(scheduler);
  for (const tenant of ['b', 'c', 'd']) scheduler.enqueue(sequence(tenant));
  assert.equal(step(scheduler), 'aabc', 'as many as there are guests');
  scheduler.finish(scheduler.running[0]!, true);
  assert.equal(step(scheduler), 'abcd', 'the flood waits until the slots are its turn again');
});

test('a tenant with several that wait is no guest, and has its turn at the slots', () => {
  const scheduler = schedulerOf(1, 1);
  scheduler.enqueue(sequence('a'));
  step(scheduler);
  for (const tenant of ['b', 'b', 'a', 'a']) scheduler.enqueue(sequence(tenant));
  assert.equal(step(scheduler), 'a');
  scheduler.finish(scheduler.running[0]!, true);
  assert.equal(step(scheduler), 'b');
});
