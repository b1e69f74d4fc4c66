import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSequence } from '../../test/sim/sequence.js';
import type { Sequence } from './sequence.js';
import { StepPlan } from './step-plan.js';
import { StepRoom } from './step-room.js';
import { StepTimeModel } from './step-time.js';

const config = { maxBatchTokens: 512, maxSequences: 8, maxOutputs: 16, targetStepMs: 50 };

function sequenceOf(tokens: number): Sequence {
  return newSequence({ prompt: new Int32Array(tokens), speculative: false });
}

/** Steps of a decode and as much of the prompt as there is room for. */
function chunksOf(prompt: Sequence, room: StepRoom, plan: StepPlan, steps: number): number[] {
  const decoding = sequenceOf(1);
  decoding.state = 'decoding';
  return Array.from({ length: steps }, () => {
    plan.reset();
    room.begin();
    plan.add(decoding, 1);
    room.decodesPlanned(false);
    const count = room.for(prompt, 0);
    plan.add(prompt, count);
    room.promptPlanned(prompt, count);
    return count;
  });
}

test('chunks of a long prompt beside decodes begin small and double, up to what is affordable', () => {
  const plan = new StepPlan();
  // 100 ms a decode and half a millisecond a token: 174 tokens make a step 1.87 times as long.
  const room = new StepRoom(config, new StepTimeModel(100, 0.5, 0, 0), plan);
  const long = sequenceOf(4_000);
  assert.deepEqual(chunksOf(long, room, plan, 7), [8, 16, 32, 64, 128, 174, 174]);
  plan.reset();
  room.begin(); // a step without it
  assert.deepEqual(chunksOf(long, room, plan, 2), [8, 16]);
});

test('a short prompt beside decodes has the whole target at once', () => {
  const plan = new StepPlan();
  const room = new StepRoom(config, new StepTimeModel(10, 0.5, 0, 0), plan);
  assert.deepEqual(chunksOf(sequenceOf(600), room, plan, 2), [79, 79]);
});

test('steps that took longer than predicted make chunks shorter', () => {
  const plan = new StepPlan();
  const stepTime = new StepTimeModel(10, 0.5, 0, 0);
  const room = new StepRoom(config, stepTime, plan);
  stepTime.promptError = 1.1;
  assert.deepEqual(chunksOf(sequenceOf(600), room, plan, 1), [Math.floor((50 / 1.1 - 10.5) / 0.5)]);
});
