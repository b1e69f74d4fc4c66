import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSequence, nowMs } from '../../test/sim/sequence.js';
import { DecodeTurns } from './decode-turns.js';
import { FairSlots } from './fair-slots.js';
import type { Sequence } from './sequence.js';
import { StepTimeModel } from './step-time.js';

const targetStepMs = 50;

/** Rows of 5 ms, so that 4 fit a brief step of 25, and steps that cost next to nothing for themselves. */
const dearRows = new StepTimeModel(0.1, 2.5, 0, 2.5);

function decoding(slots: FairSlots, tenants: string): Sequence[] {
  return Array.from(tenants, (tenant) => {
    const sequence = newSequence({ tenant, prompt: new Int32Array(4) });
    sequence.state = 'decoding';
    slots.take(sequence);
    return sequence;
  });
}

/** Who decodes in each of some steps, by index. */
function stepsOf(
  turns: DecodeTurns,
  slots: FairSlots,
  running: readonly Sequence[],
  count: number,
  fewRead = false,
): number[][] {
  return Array.from({ length: count }, () => {
    slots.beginStep(nowMs);
    turns.choose(running, fewRead);
    return running.flatMap(({ sitsOut }, index) => (sitsOut ? [] : [index]));
  });
}

test('a tenant alone decodes all at once', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaaaaa');
  const turns = new DecodeTurns(targetStepMs, slots, dearRows);
  assert.deepEqual(stepsOf(turns, slots, running, 1), [[0, 1, 2, 3, 4, 5]]);
});

test('tenants with as many as each other decode all at once', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaabbb');
  const turns = new DecodeTurns(targetStepMs, slots, dearRows);
  assert.deepEqual(stepsOf(turns, slots, running, 1), [[0, 1, 2, 3, 4, 5]]);
});

test('who has many takes turns beside who has one: as many a step as keep it brief, each once before any twice', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaaaab');
  const turns = new DecodeTurns(targetStepMs, slots, dearRows);
  assert.deepEqual(stepsOf(turns, slots, running, 3), [
    [0, 1, 2, 5],
    [0, 3, 4, 5],
    [1, 2, 3, 5],
  ]);
});

test('turns are taken beside a tenant that was there lately', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaaaaab');
  slots.leave(running.pop()!);
  const turns = new DecodeTurns(targetStepMs, slots, dearRows);
  assert.deepEqual(stepsOf(turns, slots, running, 2), [
    [0, 1, 2, 3],
    [0, 1, 4, 5],
  ]);
});

test('where a step costs much for itself, more have their turn in it than keep it brief', () => {
  const slots = new FairSlots(32, 0);
  const running = decoding(slots, `${'a'.repeat(20)}b`);
  const dearSteps = new StepTimeModel(40, 0.5, 0, 0.5);
  // All at once a token costs 40 / 20 + 1 = 3 ms; 15 at a time 40 / 15 + 1 = 3.67, and 14 at a time 3.86, over 1.25 times as much.
  const [first] = stepsOf(new DecodeTurns(targetStepMs, slots, dearSteps), slots, running, 1);
  assert.equal(first!.length, 15 + 1);
});

test('every other step is for the prompts of who has few alone', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaaaab');
  const turns = new DecodeTurns(targetStepMs, slots, dearRows);
  assert.deepEqual(stepsOf(turns, slots, running, 3, true), [[5], [0, 1, 2, 5], [5]]);
});

test('in throughput mode nobody takes turns', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaaaab');
  const turns = new DecodeTurns(0, slots, dearRows);
  assert.deepEqual(stepsOf(turns, slots, running, 1, true), [[0, 1, 2, 3, 4, 5]]);
});

test('somebody has a turn where rows and steps are taken to cost nothing', () => {
  const slots = new FairSlots(16, 0);
  const running = decoding(slots, 'aaaaab');
  const turns = new DecodeTurns(targetStepMs, slots, new StepTimeModel(0, 0, 0, 0));
  assert.ok(stepsOf(turns, slots, running, 1)[0]!.length > 1);
});
