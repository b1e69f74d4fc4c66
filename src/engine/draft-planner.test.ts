import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSequence } from '../../test/sim/sequence.js';
import { DraftPlanner, type DraftRoom } from './draft-planner.js';
import type { Sequence } from './sequence.js';
import { StepPlan } from './step-plan.js';
import { StepTimeModel } from './step-time.js';

/** A step of 10 ms and `rowMs` for each of its rows. */
const costs = (rowMs: number) => new StepTimeModel(10, rowMs / 2, 0, rowMs / 2);

/** Decoding, with a text that repeats itself: every guess has been right so far. */
function repeating(maxNewTokens = 100): Sequence {
  const sequence = newSequence({ prompt: Int32Array.from({ length: 40 }, (_, i) => i % 5), maxNewTokens });
  sequence.state = 'decoding';
  sequence.computed = sequence.length - 1;
  return sequence;
}

function planOf(sequences: Sequence[]): StepPlan {
  const plan = new StepPlan();
  plan.reset();
  for (const sequence of sequences) plan.add(sequence, 1);
  return plan;
}

function draft(plan: StepPlan, model: StepTimeModel, targetMs = 0, room: Partial<DraftRoom> = {}): number {
  const planner = new DraftPlanner(8, model);
  planner.plan(plan, model.predictMs(plan), {
    targetMs,
    tokens: 100,
    outputs: 100,
    cells: (_, wanted) => wanted,
    ...room,
  });
  return plan.drafts;
}

/** Lets a sequence's drafter see that it is always right, or never. */
function teach(sequence: Sequence, isRight: boolean): Sequence {
  const model = costs(0.1);
  for (let i = 0; i < 40; i++) {
    draft(planOf([sequence]), model);
    const { drafter } = sequence;
    for (let depth = 0; depth < drafter!.planned; depth++)
      drafter!.verify(depth, isRight ? drafter!.tokens[depth]! : -1);
    if (!isRight) drafter!.verify(0, -1);
    drafter!.clear();
  }
  return sequence;
}

test('guesses are computed where rows are cheap beside a step, and not where they are dear', () => {
  assert.equal(draft(planOf([teach(repeating(), true)]), costs(1)), 8);
  assert.equal(draft(planOf([teach(repeating(), true)]), costs(100)), 0);
});

test('a sequence whose guesses were wrong gets none', () => {
  assert.equal(draft(planOf([teach(repeating(), false)]), costs(2)), 0);
});

test('with many sequences a step is full of certain tokens, and guesses must be nearly certain too', () => {
  const alone = draft(planOf([repeating()]), costs(1));
  const many = planOf(Array.from({ length: 60 }, () => repeating()));
  assert.ok(alone > 0);
  assert.equal(draft(many, costs(1)), 0);
});

test('beside others a step stays under its target; alone a sequence may take longer', () => {
  const model = costs(1);
  for (const targetMs of [13, 16, 20]) {
    const plan = planOf([teach(repeating(), true), teach(repeating(), true)]);
    draft(plan, model, targetMs);
    assert.ok(plan.drafts > 0);
    assert.ok(model.predictMs(plan) <= targetMs, `${model.predictMs(plan)} > ${targetMs}`);
  }
  assert.equal(draft(planOf([teach(repeating(), true)]), model, 5), 8);
  assert.equal(draft(planOf([teach(repeating(), true), teach(repeating(), true)]), model, 5), 0);
});

test('within the batch, its outputs, the cells there are, and the longest answer', () => {
  const drafts = (room: Partial<DraftRoom>) => draft(planOf([teach(repeating(), true)]), costs(0.1), 0, room);
  assert.equal(drafts({ tokens: 3 }), 3);
  assert.equal(drafts({ outputs: 2 }), 2);
  assert.equal(drafts({ cells: () => 1 }), 1);
  assert.equal(
    draft(planOf([repeating(3)]), costs(0.01)),
    2,
    'the last token is sampled after the second guess',
  );
  assert.equal(draft(planOf([repeating(1)]), costs(0.01)), 0);
});
